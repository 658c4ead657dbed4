"""Long work as clients see it, and how workers hold it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from advisor.errors import (
    AlreadyExists,
    FailedPrecondition,
    Failure,
    InvalidInput,
    NotFound,
    ResourceExhausted,
)
from advisor.storage import leases, operations, use_cases
from advisor.storage.database import Database
from advisor.storage.filters import parse_filter
from advisor.storage.leases import Lease, LeaseLost
from advisor.storage.operations import Operation, State
from advisor.storage.records import Request


@pytest.fixture
def database(database: Database) -> Database:
    """Return the database with one use case."""
    use_cases.create(database, "faq", use_cases.Stated("", b""))
    return database


def ask(
    database: Database,
    target: str = "a",
    limit: int = 10,
    request: Request | None = None,
    *,
    taken: bool = False,
) -> Operation:
    return operations.create(
        database,
        kind="TUNE",
        use_case_id="faq",
        target=target,
        payload={"epochs": 2},
        queue_limit=limit,
        request=request,
        taken=lambda _: taken,
    )


def claim(database: Database, worker: str = "w") -> Lease:
    operation = leases.claim(database, worker, ["TUNE"])
    assert operation is not None
    return Lease(operation.id, worker, operation.attempt)


def silence(database: Database, lease: Lease, seconds: float) -> None:
    """Set the last heartbeat back by so many seconds."""
    with database.transaction() as connection:
        connection.execute(
            "UPDATE operations SET heartbeat = heartbeat - make_interval(secs => %s) WHERE id = %s",
            [seconds, lease.operation_id],
        )


def test_an_operation_waits_until_it_is_claimed(database: Database) -> None:
    """It is kept as asked for, and the worker that claims it is noted."""
    asked = ask(database)
    assert (asked.state, asked.payload, asked.attempt, asked.done) == (State.QUEUED, {"epochs": 2}, 0, False)
    lease = claim(database, "w")
    running = operations.get(database, asked.id)
    assert (running.state, running.worker, running.attempt) == (State.RUNNING, "w", 1)
    assert lease == Lease(asked.id, "w", 1)


def test_a_repeated_request_asks_once(database: Database) -> None:
    """The same request gives the same operation, also when it runs already."""
    request = Request("7b1c", "fingerprint")
    first = ask(database, request=request)
    claim(database)
    assert ask(database, request=request).id == first.id
    with pytest.raises(FailedPrecondition):
        ask(database, "b", request=Request("7b1c", "different"))


def test_one_operation_at_a_time_makes_a_target(database: Database) -> None:
    """A second one is refused until the first has ended."""
    operations.request_cancel(database, ask(database, "a").id)
    making = ask(database, "a")
    with pytest.raises(
        AlreadyExists, match=f"being made by {making.name}; wait for it or cancel it"
    ) as caught:
        ask(database, "a")
    assert (caught.value.operation, caught.value.reason) == (making.name, "RESOURCE_EXISTS")


def test_what_exists_is_not_made_again(database: Database) -> None:
    """The text says so; a repetition of the request that made it returns its operation all the same."""
    request = Request("7b1c", "fingerprint")
    first = ask(database, request=request)
    operations.request_cancel(database, first.id)
    with pytest.raises(AlreadyExists, match="exists already"):
        ask(database, taken=True)
    assert ask(database, request=request, taken=True).id == first.id


def test_a_full_queue_refuses(database: Database) -> None:
    """What runs does not count."""
    ask(database, "a", limit=1)
    claim(database)
    ask(database, "b", limit=1)
    with pytest.raises(ResourceExhausted, match="with 1 operation;"):
        ask(database, "c", limit=1)


def test_workers_share_nothing(database: Database) -> None:
    """Eight claims at once of five operations: each goes to one worker, oldest first."""
    asked = [ask(database, str(n)).id for n in range(5)]
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda n: leases.claim(database, f"w{n}", ["TUNE"]), range(8)))
    assert sorted(each.id for each in claims if each) == sorted(asked)


def test_kinds_that_nobody_knows_wait(database: Database) -> None:
    """A worker takes only what it can do."""
    ask(database)
    assert leases.claim(database, "w", ["OTHER"]) is None


def test_a_result_ends_the_operation(database: Database) -> None:
    """Progress and result are there for clients."""
    lease = claim_one(database)
    with database.transaction() as connection:
        assert not leases.renew(connection, lease, {"step": 3})
        leases.succeed(connection, lease, {"adapter": "a"})
    ended = operations.get(database, lease.operation_id)
    assert (ended.state, ended.progress, ended.result) == (State.SUCCEEDED, {"step": 3}, {"adapter": "a"})
    assert ended.done


def claim_one(database: Database) -> Lease:
    ask(database)
    return claim(database)


def test_steps_belong_to_the_operation_and_to_the_lease(database: Database) -> None:
    """The next attempt finds them; a worker that lost its lease adds none."""
    lease = claim_one(database)
    with database.transaction() as connection:
        leases.keep_step(connection, lease, "a", {"n": 1})
        leases.keep_step(connection, lease, "b", {"n": [2]})
    leases.release_worker(database, "w")
    with pytest.raises(LeaseLost), database.transaction() as connection:
        leases.keep_step(connection, lease, "c", {})
    resumed = leases.claim(database, "w", ["TUNE"])
    assert resumed is not None
    assert resumed.steps == {"a": {"n": 1}, "b": {"n": [2]}}


def test_a_failure_is_kept(database: Database) -> None:
    """Clients read code, reason and message."""
    lease = claim_one(database)
    failure = Failure("RESOURCE_EXHAUSTED", "DISK_FULL", "the disk is full")
    with database.transaction() as connection:
        leases.fail(connection, lease, failure)
    ended = operations.get(database, lease.operation_id)
    assert (ended.state, ended.error) == (State.FAILED, failure)


def test_cancelling_what_waits_ends_it(database: Database) -> None:
    """No worker takes it any more."""
    asked = ask(database)
    operations.request_cancel(database, asked.id)
    assert operations.get(database, asked.id).state is State.CANCELLED
    assert leases.claim(database, "w", ["TUNE"]) is None


def test_cancelling_what_runs_tells_the_worker(database: Database) -> None:
    """The next heartbeat brings it; then the worker ends the operation."""
    lease = claim_one(database)
    operations.request_cancel(database, lease.operation_id)
    with database.transaction() as connection:
        assert leases.renew(connection, lease)
        leases.cancel(connection, lease)
    assert operations.get(database, lease.operation_id).state is State.CANCELLED


def test_cancelling_what_has_ended_changes_nothing(database: Database) -> None:
    """A result stays a result."""
    lease = claim_one(database)
    with database.transaction() as connection:
        leases.succeed(connection, lease, {})
    operations.request_cancel(database, lease.operation_id)
    ended = operations.get(database, lease.operation_id)
    assert (ended.state, ended.cancel_requested) == (State.SUCCEEDED, False)


def test_a_silent_worker_loses_its_work(database: Database) -> None:
    """The sweep takes it after the lease, not before, and the next attempt goes on."""
    lease = claim_one(database)
    silence(database, lease, leases.LEASE_S - 5)
    assert leases.sweep(database) == 0
    silence(database, lease, 10)
    assert leases.sweep(database) == 1
    assert claim(database, "v") == Lease(lease.operation_id, "v", 2)
    with database.transaction() as connection, pytest.raises(LeaseLost):
        leases.succeed(connection, lease, {})


def test_a_worker_known_dead_loses_its_work_at_once(database: Database) -> None:
    """Others keep theirs."""
    claim_one(database)
    ask(database, "b")
    other = claim(database, "v")
    assert leases.release_worker(database, "w") == 1
    assert operations.get(database, other.operation_id).state is State.RUNNING


def test_work_that_kills_its_workers_fails(database: Database) -> None:
    """After three deaths it ends with a message that says so, and does not run again; a worker's stop is no death."""
    asked = ask(database)
    with database.transaction() as connection:
        leases.release(connection, claim(database))
    for _ in range(leases.MAX_DEATHS):
        claim(database)
        leases.release_worker(database, "w")
    ended = operations.get(database, asked.id)
    assert ended.state is State.FAILED
    assert ended.error is not None
    assert (ended.error.reason, ended.attempt) == ("WORKER_DIED", 4)
    assert "died 3 times" in ended.error.message


def test_a_cancelled_operation_of_a_dead_worker_ends(database: Database) -> None:
    """Nobody starts again what was cancelled."""
    lease = claim_one(database)
    operations.request_cancel(database, lease.operation_id)
    leases.release_worker(database, "w")
    assert operations.get(database, lease.operation_id).state is State.CANCELLED


def test_work_that_is_taken_up_again_is_a_further_attempt(database: Database) -> None:
    """Also where its worker was told to stop and put it back; what ran before can change nothing any more."""
    lease = claim_one(database)
    with database.transaction() as connection:
        leases.release(connection, lease)
    waiting = operations.get(database, lease.operation_id)
    assert (waiting.state, waiting.attempt, waiting.worker) == (State.QUEUED, 1, None)
    assert claim(database) == Lease(lease.operation_id, "w", 2)
    with database.transaction() as connection, pytest.raises(LeaseLost):
        leases.renew(connection, lease)


def test_what_has_ended_is_active_no_more(database: Database) -> None:
    """Nor is what does not exist."""
    first, second = (ask(database, target).id for target in "ab")
    assert operations.active(database, [first, second, "nothing"]) == {first, second}
    operations.request_cancel(database, first)
    assert operations.active(database, [first, second]) == {second}


def test_operations_are_listed_newest_first(database: Database) -> None:
    """Page by page."""
    first, second, third = (ask(database, target).id for target in "abc")
    page = operations.list_page(database, size=2)
    rest = operations.list_page(database, size=2, token=page.next_page_token)
    assert [each.id for each in page.items + rest.items] == [third, second, first]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "cba"),
        ("done = true", "b"),
        ("done!=true", "ca"),
        ("done = false AND state = running", "a"),
        ('state = "QUEUED"', "c"),
        ("kind = tune AND metadata.kind = TUNE", "cba"),
        ("kind != tune", ""),
        ("use_case = 'useCases/faq'", "cba"),
        ("use_case = other", ""),
    ],
)
def test_operations_are_filtered(database: Database, text: str, found: str) -> None:
    """Every restriction must hold; a token belongs to the filter of its list."""
    ids = {ask(database, target).id: target for target in "abc"}
    operations.request_cancel(database, list(ids)[1])
    claim(database)
    conditions = parse_filter(text, operations.filters(["TUNE"]))
    page = operations.list_page(database, conditions=conditions)
    assert "".join(ids[each.id] for each in page.items) == found
    token = operations.list_page(database, conditions=conditions[:-1], size=1).next_page_token
    if conditions:
        with pytest.raises(InvalidInput, match="page_token"):
            operations.list_page(database, conditions=conditions, token=token)


def test_only_what_has_ended_is_deleted(database: Database) -> None:
    """What waits or runs has to be cancelled first."""
    asked = ask(database)
    with pytest.raises(FailedPrecondition, match="cancel it first"):
        operations.delete(database, asked.id)
    operations.request_cancel(database, asked.id)
    operations.delete(database, asked.id)
    with pytest.raises(NotFound, match=asked.name):
        operations.get(database, asked.id)


def test_whoever_asks_for_much_waits_for_itself(database: Database) -> None:
    """Work is taken up in turns, one principal after the other, and of each in the order in which it was asked for."""
    for name in ("red~faq", "blue~faq"):
        use_cases.create(database, name, use_cases.Stated("", b""))
    for owner, target in (("red", "1"), ("red", "2"), ("red", "3"), ("blue", "1"), ("blue", "2")):
        operations.create(
            database, kind="COUNT", use_case_id=f"{owner}~faq", target=target, payload={}, queue_limit=9
        )
    taken = [leases.claim(database, "worker", ["COUNT"]) for _ in range(3)]
    ended = "DELETE FROM operations WHERE use_case_id = 'red~faq' AND state = 'RUNNING'"
    with database.transaction() as connection:  # what is not there any more had its turn all the same
        connection.execute(ended)
    taken += [leases.claim(database, "worker", ["COUNT"]) for _ in range(3)]
    order = [(each.use_case_id, each.target) for each in taken if each is not None]
    assert order == [
        ("red~faq", "1"), ("blue~faq", "1"), ("red~faq", "2"), ("blue~faq", "2"), ("red~faq", "3"),
    ]  # fmt: skip
