"""Small handbooks in four languages, with questions that they answer and questions that they do not."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["HANDBOOKS", "Handbook"]


@dataclass(frozen=True, slots=True)
class Handbook:
    """A text, with what may be asked of it.

    Attributes:
        language: The text search configuration.
        text: Markdown.
        answers: Questions, each with words of the statement that answers it.
        elsewhere: Questions on other matters.
        untold: Questions on its subjects, whose detail it does not tell.
    """

    language: str
    text: str
    answers: tuple[tuple[str, str], ...]
    elsewhere: tuple[str, ...]
    untold: tuple[str, ...] = ()


HANDBOOKS = (
    Handbook(
        "english",
        """# Library rules

## Opening hours

The library opens at nine and closes at seven on weekdays. On Sundays it is open from two to five. It stays
shut on public holidays.

## Borrowing

Each reader may borrow six books for three weeks. Being late costs twenty cents a day for each book.
Newspapers are not lent. A loan can be renewed twice at the front desk, unless somebody else has reserved the
book. Reference works carry a red label and stay in the reading room.

## Reading room

Meals are forbidden in the reading room; water is fine. Lockers with keys are in the basement. The password of
the wireless network is handed out at the front desk. Laptops may be used at the tables along the windows.

## Membership

Anyone over sixteen can become a member. Bring an identity card and proof of your address. Members pay 15
euros a year, students nothing. Lost cards are replaced for four euros. Membership ends automatically when it
has not been used for two years.
""",
        answers=(
            ("When does the library close on weekdays?", "closes at seven"),
            ("How many books may I borrow?", "six books"),
            ("What does it cost to be late?", "twenty cents"),
            ("What is the penalty for returning a book late?", "twenty cents"),
            ("For how long can a book be borrowed?", "three weeks"),
            ("Where are the lockers?", "basement"),
            ("Where do I get the wireless password?", "front desk"),
            ("Who can become a member?", "sixteen"),
            ("What do I need to bring to become a member?", "identity card"),
            ("How much is the yearly fee?", "15 euros"),
            ("How often can a loan be renewed?", "twice"),
            ("What colour is the label of reference works?", "red"),
            ("Which documents do I need to join?", "identity card"),
            ("What is the price of a new card?", "four euros"),
            ("Can I eat in the reading room?", "forbidden"),
            ("At what age can I join?", "sixteen"),
            ("What happens if I do not use my membership?", "ends automatically"),
            ("Are newspapers lent out?", "not lent"),
            ("Where may I use a laptop?", "tables"),
        ),
        elsewhere=(
            "What is the capital of France?",
            "How do I bake sourdough bread?",
            "Which vitamins are in oranges?",
            "How do I change a flat tyre?",
            "Who won the world cup in 2014?",
        ),
        untold=(
            "Who founded the library?",
            "Which architect designed the reading room?",
            "How many lockers are there in the basement?",
            "What is the phone number of the front desk?",
            "Which publisher do the reference works come from?",
            "How many books does the library own?",
            "What is the web address of the catalogue?",
            "How much does printing a page cost?",
            "What is the bandwidth of the wireless network?",
            "Which bank account do I pay the fee to?",
            "What is the name of the head librarian?",
            "In which year was the library opened?",
            "How large is the reading room?",
            "Which bus stops at the library?",
            "What temperature is kept in the reading room?",
            "Who repairs broken lockers?",
            "What is the largest fine a reader can get?",
            "Which languages are the newspapers in?",
            "How many members does the library have?",
            "How long does it take to make a new card?",
            "What insurance covers lost books?",
        ),
    ),
    Handbook(
        "german",
        """# Handbuch der Werkstatt

## Öffnungszeiten

Die Werkstatt ist montags bis freitags von 7 bis 18 Uhr geöffnet. Samstags schließt sie um 13 Uhr. An
Feiertagen bleibt sie geschlossen.

## Werkzeuge ausleihen

Mitglieder dürfen Werkzeuge für höchstens vierzehn Tage ausleihen. Für eine Bohrmaschine ist eine Kaution von
40 Euro zu hinterlegen. Wer ein Werkzeug beschädigt, meldet den Schaden bei der Aufsicht.

## Sicherheit

An der Kreissäge ist eine Schutzbrille vorgeschrieben. Der Feuerlöscher hängt neben der Tür zum Lager. Kinder
unter zwölf Jahren dürfen die Werkstatt nur in Begleitung betreten.
""",
        answers=(
            ("Wann schließt die Werkstatt am Samstag?", "13 Uhr"),
            ("Wie lange darf man Werkzeuge ausleihen?", "vierzehn"),
            ("Wie hoch ist die Kaution für eine Bohrmaschine?", "40 Euro"),
            ("Wo hängt der Feuerlöscher?", "neben der Tür"),
            ("Ab welchem Alter dürfen Kinder allein in die Werkstatt?", "zwölf"),
        ),
        elsewhere=(
            "Wie viele Mitarbeiter hat die Brauerei in München?",
            "Wer gewann die Fußballweltmeisterschaft?",
        ),
    ),
    Handbook(
        "french",
        """# Règlement de la bibliothèque

## Horaires

La bibliothèque ouvre à 9 heures et ferme à 19 heures en semaine. Le dimanche, elle est ouverte de 14 à 17 heures.

## Emprunts

Chaque lecteur peut emprunter six livres pour trois semaines. Un retard coûte vingt centimes par jour et par
livre. Les journaux ne sont pas prêtés.

## Salle de lecture

Les repas sont interdits dans la salle de lecture. Des casiers fermés à clé se trouvent au sous-sol. Le mot de
passe du réseau sans fil est donné à l'accueil.
""",
        answers=(
            ("À quelle heure ferme la bibliothèque en semaine ?", "19 heures"),
            ("Combien de livres peut-on emprunter ?", "six livres"),
            ("Combien coûte un retard ?", "vingt centimes"),
            ("Où se trouvent les casiers ?", "sous-sol"),
            ("Où demander le mot de passe du réseau ?", "accueil"),
        ),
        elsewhere=(
            "Quel est le prix d'un billet de train pour Lyon ?",
            "Qui a gagné le Tour de France ?",
        ),
    ),
    Handbook(
        "spanish",
        """# Guía del laboratorio

## Acceso

El laboratorio abre a las ocho de la mañana. Los visitantes deben llevar una tarjeta azul. La puerta principal
se cierra a las diez de la noche.

## Muestras

Las muestras se conservan a cuatro grados durante treinta días. Después se destruyen en el horno del segundo
piso. Cada muestra lleva una etiqueta con su código.

## Averías

Si falla el microscopio, avise a Carmen Ortiz por la extensión 512. Las reparaciones tardan normalmente cinco
días laborables.
""",
        answers=(
            ("¿A qué hora abre el laboratorio?", "ocho"),
            ("¿Cuánto tiempo se conservan las muestras?", "treinta días"),
            ("¿De qué color es la tarjeta de los visitantes?", "azul"),
            ("¿A quién hay que avisar si falla el microscopio?", "Carmen"),
            ("¿Cuánto tardan las reparaciones?", "cinco días"),
        ),
        elsewhere=(
            "¿Quién ganó la liga de fútbol el año pasado?",
            "¿Cómo se hornea el pan?",
        ),
    ),
)
