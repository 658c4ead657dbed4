"""Pairs of questions, written before the code that tells them apart.

`PAIRS` was looked at while that code was written, `UNSEEN` only once it was done. Each pair has a kind: of
duplicates what was changed, of different questions what tells them apart.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PAIRS", "UNSEEN", "Pair"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two questions, whether they are the same one, and how they differ."""

    one: str
    other: str
    same: bool
    kind: str


def _pairs(same: bool, kind: str, *pairs: tuple[str, str]) -> tuple[Pair, ...]:
    return tuple(Pair(one, other, same, kind) for one, other in pairs)


PAIRS = (
    *_pairs(
        True,
        "signs",
        ("How do I reset my password?", "how do i reset my password"),
        ("What is the maximum size of an upload?", "WHAT IS THE MAXIMUM SIZE OF AN UPLOAD?!"),
        ("Where's my invoice?", "Where is my invoice ?"),
        ("The limit is 1,000 rows, right?", "The limit is 1000 rows - right?"),
        ("Does max_connections need a restart?", "Does `max_connections` need a restart"),
        ("Why can’t I log in?", "Why can't I log in?"),
        ("Wie ändere ich meine Adresse?", "wie ändere ich meine adresse"),
    ),
    *_pairs(
        True,
        "spelling",
        ("How do I change my subscription?", "How do I change my subscribtion?"),
        ("Where can I find my invoices?", "Where can I find my invioces?"),
        ("How do I recover a deleted document?", "How do I recover a deleted docment?"),
        ("My parcel has not arrived yet", "My parcell has not arrived yet"),
        ("What is the cancellation period?", "What is the cancelation peroid?"),
        ("Can I pay by instalments?", "Can I pay by installments?"),
        ("What colour is the status light?", "What color is the status light?"),
    ),
    *_pairs(
        True,
        "small words",
        ("How do I export the report?", "Please, how can I export a report?"),
        ("What is the return policy?", "Can you tell me what the return policy is?"),
        ("How to install the driver", "How do I install the driver?"),
        ("I want to cancel my order", "I'd like to cancel my order, please."),
        ("Hi, is delivery to Norway free?", "Is the delivery to Norway free?"),
        ("Where do I enter the voucher?", "Where should one enter vouchers?"),
        ("How long does the battery last?", "How long do batteries last?"),
    ),
    *_pairs(
        True,
        "order",
        ("In PostgreSQL, how do I list all tables?", "How do I list all tables in PostgreSQL?"),
        ("How do I reset my password on a phone?", "On a phone, how do I reset my password?"),
        ("reset password how", "how reset password"),
    ),
    *_pairs(
        True,
        "other words",
        ("How do I delete my account?", "How can I remove my account?"),
        ("What does the premium plan cost?", "How much is the premium plan?"),
        ("When will my order arrive?", "What is the delivery date of my order?"),
        ("The app crashes when I open it", "When I start the app, it crashes immediately"),
        ("How do I switch on dark mode?", "How can I enable dark mode?"),
        ("Which browsers are supported?", "What browsers do you support?"),
        ("I forgot my password", "I can't remember my password"),
        ("How do I contact support?", "How can I get in touch with the support team?"),
    ),
    *_pairs(
        False,
        "number",
        ("Set the timeout to 5 seconds", "Set the timeout to 50 seconds"),
        ("How do I upgrade to version 3.1?", "How do I upgrade to version 3.11?"),
        ("Does the A4 printer support duplex?", "Does the A3 printer support duplex?"),
        ("What happens after two failed attempts?", "What happens after three failed attempts?"),
        ("Is 5 larger than 3?", "Is 3 larger than 5?"),
        ("What does error 404 mean?", "What does error 401 mean?"),
        ("A loan of 10,000 over 5 years", "A loan of 100,000 over 5 years"),
        ("What is the temperature at -5 degrees?", "What is the temperature at 5 degrees?"),
    ),
    *_pairs(
        False,
        "negation",
        ("Is smoking allowed on the balcony?", "Is smoking not allowed on the balcony?"),
        ("Why does the printer print?", "Why doesn't the printer print?"),
        ("Can I order with an account?", "Can I order without an account?"),
        ("The parcel has arrived", "The parcel has never arrived"),
        ("Darf ich hier parken?", "Darf ich hier nicht parken?"),
    ),
    *_pairs(
        False,
        "opposite",
        ("What is the maximum length of a name?", "What is the minimum length of a name?"),
        ("How do I enable notifications?", "How do I disable notifications?"),
        ("How do I import contacts?", "How do I export contacts?"),
        ("What must I do before the update?", "What must I do after the update?"),
        ("How do I turn the alarm on?", "How do I turn the alarm off?"),
        ("How do I upload a file?", "How do I download a file?"),
        ("Are internal calls free?", "Are external calls free?"),
    ),
    *_pairs(
        False,
        "name",
        ("What is the default of max_connections?", "What is the default of max_wal_senders?"),
        ("What is the capital of Austria?", "What is the capital of Australia?"),
        ("Who wrote the foreword of the manual?", "Who wrote the afterword of the manual?"),
        ("How do I install the driver on Windows?", "How do I install the driver on Linux?"),
        ("Is the office open on Monday?", "Is the office open on Sunday?"),
        ("When does the contract end?", "When does the contact end?"),
        ("How do I delete a user?", "How do I delete a group?"),
        ("How do I add a user?", "How do I find a user?"),
    ),
    *_pairs(
        False,
        "direction",
        ("How do I convert PDF to Word?", "How do I convert Word to PDF?"),
        ("Is the train from Bonn to Ulm on time?", "Is the train from Ulm to Bonn on time?"),
        ("Does Anna report to Ben?", "Does Ben report to Anna?"),
    ),
    *_pairs(
        False,
        "question",
        ("When can I return the shoes?", "Where can I return the shoes?"),
        ("Who approves holidays?", "How are holidays approved?"),
    ),
)

UNSEEN = (
    *_pairs(
        True,
        "signs",
        ("How do I block my card?", "HOW DO I BLOCK MY CARD"),
        ("What's the fee for a transfer abroad?", "what is the fee for a transfer abroad"),
        ("My card was declined - why?", "My card was declined. Why?"),
        ("Is there a limit of 2,500 EUR a day?", "is there a limit of 2500 EUR a day"),
        ("Can I use e-mail to sign in?", "Can I use email to sign in?"),
        ("Où est ma commande ?", "où est ma commande"),
    ),
    *_pairs(
        True,
        "spelling",
        ("How do I activate the new card?", "How do I activate the new crad?"),
        ("Why was the payment refused?", "Why was the paymnet refused?"),
        ("What is the interest rate of the mortgage?", "What is the intrest rate of the morgage?"),
        ("How do I dispute a transaction?", "How do I dispute a transacton?"),
        ("Can I get a receipt for the withdrawal?", "Can I get a reciept for the withdrawl?"),
        ("Which organisation issues the certificate?", "Which organization issues the certificate?"),
    ),
    *_pairs(
        True,
        "small words",
        ("How can I change the PIN?", "How do I change my PIN?"),
        ("What documents do I need to open an account?", "Which document is needed for opening an account?"),
        ("Could you please tell me how to close the account?", "How do I close the account?"),
        ("Is there a fee for the card?", "Is there any fee for a card?"),
        ("I need to order a new card", "I would like to order a new card"),
        ("Where are your branches?", "Hello, where are the branches?"),
    ),
    *_pairs(
        True,
        "order",
        ("How do I see my transactions in the app?", "In the app, how do I see my transactions?"),
        ("Currently, what is the daily limit?", "What is the daily limit currently?"),
        ("If I lose the card, what do I do?", "What do I do if I lose the card?"),
    ),
    *_pairs(
        True,
        "other words",
        ("My card was stolen", "Somebody stole my card"),
        ("How do I raise my credit limit?", "How can I increase my credit limit?"),
        ("How long does a transfer take?", "How many days until a transfer arrives?"),
        ("What is the exchange rate?", "Which exchange rate do you use?"),
        ("I don't recognise this payment", "There is a payment that I did not make"),
        ("Can I open an account for my child?", "Is it possible to open a kid's account?"),
        ("Where is the nearest cash machine?", "Where can I find an ATM close by?"),
        ("How do I verify my identity?", "What are the steps to verify my identity?"),
    ),
    *_pairs(
        False,
        "number",
        ("May I withdraw 500 EUR?", "May I withdraw 5,000 EUR?"),
        ("Is a deposit of $20 enough?", "Is a deposit of €20 enough?"),
        ("Does iOS 16 run the app?", "Does iOS 17 run the app?"),
        ("Open an account for one person", "Open an account for two persons"),
        ("What changed in 2023?", "What changed in 2024?"),
        ("Wait 30 minutes before retrying?", "Wait 30 seconds before retrying?"),
        ("Is 0.5% charged on transfers?", "Is 5% charged on transfers?"),
    ),
    *_pairs(
        False,
        "negation",
        ("Why was I charged a fee?", "Why wasn't I charged a fee?"),
        ("Which cards have a fee?", "Which cards have no fee?"),
        ("Do I need a guarantor?", "Do I need neither a guarantor nor a deposit?"),
        ("Est-ce que je peux annuler ?", "Est-ce que je ne peux pas annuler ?"),
        ("Is the account insured?", "Is the account uninsured?"),
    ),
    *_pairs(
        False,
        "opposite",
        ("How do I lock the card?", "How do I unlock the card?"),
        ("What is the upper limit of a transfer?", "What is the lower limit of a transfer?"),
        ("How do I deposit money?", "How do I withdraw money?"),
        ("Is the branch open?", "Is the branch closed?"),
        ("What was my first payment?", "What was my last payment?"),
        ("Why did my balance increase?", "Why did my balance decrease?"),
        ("Are incoming transfers free?", "Are outgoing transfers free?"),
    ),
    *_pairs(
        False,
        "name",
        ("How do I use Apple Pay?", "How do I use Google Pay?"),
        ("Can I hold Swiss francs?", "Can I hold Swedish kronor?"),
        ("Is the transfer done by Tuesday?", "Is the transfer done by Thursday?"),
        ("What is the fee for a debit card?", "What is the fee for a credit card?"),
        ("How do I change my address?", "How do I change my name?"),
        ("Is Jean Martin the adviser?", "Is Jeanne Martin the adviser?"),
        ("What does log_min_messages do?", "What does log_min_duration do?"),
    ),
    *_pairs(
        False,
        "direction",
        ("Transfer from savings to checking", "Transfer from checking to savings"),
        ("Exchange euros into dollars", "Exchange dollars into euros"),
        ("Did the bank sue the customer?", "Did the customer sue the bank?"),
    ),
    *_pairs(
        False,
        "question",
        ("Why is my transfer pending?", "How long is my transfer pending?"),
        ("Who can see my balance?", "Where can I see my balance?"),
    ),
)
