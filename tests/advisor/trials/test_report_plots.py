"""Axes, places of names, and the plots made of them."""

from __future__ import annotations

from itertools import combinations
from xml.etree.ElementTree import Element

import pytest
from defusedxml import ElementTree
from hypothesis import given
from hypothesis import strategies as st

from advisor.trials.report.axes import axis_of, share_axis
from advisor.trials.report.figures import cost_figure, curve_figure, time_figure
from advisor.trials.report.labels import Box, place_labels
from advisor.trials.report.standings import standings
from tests.advisor.trials.results import made_up_result, without_intervals

AREA = Box(40, 20, 550, 330)
AMOUNTS = st.lists(st.just(0.0) | st.floats(1e-9, 1e6), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("values", "ticks", "logarithmic"),
    [
        ([3.0, 9.0], (0, 2, 4, 6, 8, 10), False),
        ([90.0, 100.0], (90, 92, 94, 96, 98, 100), False),
        ([1.0, 10.0], (0, 2, 4, 6, 8, 10), False),
        ([1.0, 11.0], (1, 2, 5, 10), True),
        ([0.0, 0.1, 9.0], (0, 0.1, 0.2, 0.5, 1, 2, 5, 10), True),
        ([0.0], (0, 0.2, 0.4, 0.6, 0.8, 1), False),
        ([0.01, 300.0], (0.01, 0.1, 1, 10, 100), True),
    ],
)
def test_ticks_are_round(values: list[float], ticks: tuple[float, ...], logarithmic: bool) -> None:
    """More than a decade is logarithmic, with a place of its own for what costs nothing."""
    axis = axis_of(values)
    assert axis.ticks == pytest.approx(ticks)
    assert axis.logarithmic == logarithmic


@given(AMOUNTS)
def test_values_stand_in_their_order_inside(values: list[float]) -> None:
    """A place is between 0 and 1, and no smaller value stands further along."""
    axis = axis_of(values)
    places = [axis.place(each) for each in sorted(values)]
    assert places == sorted(places)
    assert all(0 <= each <= 1 for each in places)
    assert 2 <= len(axis.ticks) <= 9


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_shares_have_ticks_between_none_and_all(values: list[float]) -> None:
    """There is no quality of 120%, nor below 0."""
    axis = share_axis(values)
    assert axis.low >= 0
    assert axis.high <= 1
    assert axis.low <= min(values)
    assert axis.high >= max(values)


POINTS = st.lists(
    st.tuples(
        st.sampled_from(["RAG", "plain prompt", "prompt with the nearest examples"]),
        st.floats(45, 540),
        st.floats(25, 325),
    ),
    min_size=1,
    max_size=10,
)


def plots_of(figure: str) -> list[Element]:
    """Return the drawings of a figure, which must be well-formed."""
    return list(ElementTree.fromstring(figure).findall("svg"))


@given(POINTS)
def test_names_stand_inside_and_apart(points: list[tuple[str, float, float]]) -> None:
    """Ten names of ten points, wherever they are, cover neither each other nor the edge."""
    labels = place_labels(points, [Box(x - 5, y - 5, x + 5, y + 5) for _, x, y in points], [], AREA)
    assert [each.text for each in labels] == [name for name, _, _ in points]
    assert all(AREA.holds(each.box) for each in labels)
    assert all(not one.box.overlap(other.box) for one, other in combinations(labels, 2))


def test_a_name_stands_right_of_its_point_where_there_is_room() -> None:
    """A line leads to those that had to go further away."""
    near, far = place_labels([("RAG", 300, 200), ("plain", 300, 200)], [Box(295, 195, 305, 205)], [], AREA)
    assert near.side == "right"
    assert near.leader is None
    assert far.box != near.box


@pytest.mark.parametrize("without", [False, True], ids=["intervals", "no intervals"])
def test_plots_are_drawn_with_titles_and_numbers(without: bool) -> None:
    """Each is well-formed, named and described, once for wide and once for narrow pages."""
    told = made_up_result(30)
    told = without_intervals(told) if without else told
    places = standings(told)
    for figure in (cost_figure(places), time_figure(places), curve_figure(told)):
        assert figure
        drawn = plots_of(figure)
        assert [each.get("class") for each in drawn] == ["plot wide", "plot narrow"]
        for each in drawn:
            named = (each.get("aria-labelledby") or "").split()
            assert [part.get("id") for part in each[:2]] == named
            assert "%" in (each[1].text or "")
            whiskers = [line for line in each.iter("line") if "whisker" in (line.get("class") or "")]
            assert bool(whiskers) != without


def test_names_of_arms_do_not_overlap_in_a_plot() -> None:
    """In no plot of a full trial does one name cover another."""
    for seed in range(5):
        places = standings(made_up_result(100, seed=seed))
        for figure in (cost_figure(places), time_figure(places)):
            for drawn in plots_of(figure):
                names = [each for each in drawn.iter("text") if "name" in (each.get("class") or "")]
                spots = [(float(each.get("x", 0)), float(each.get("y", 0))) for each in names]
                assert len(names) == 9
                assert len(set(spots)) == 9


def test_what_is_not_known_is_said() -> None:
    """Without costs, times or answers there is a sentence in place of a plot."""
    places = standings(made_up_result(0))
    assert "Costs are not known" in cost_figure(places)
    assert "No time was measured" in time_figure(places)
    assert curve_figure(made_up_result(0)) is None
