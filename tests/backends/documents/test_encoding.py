"""Bytes become text in the encoding that they are in."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.base import DocumentError
from backends.documents.encoding import decode

ENGLISH = "The settings are read once, when the service starts, and are handed down.\n"
TEXTS = {
    "cp1252": "Der Prüfer fragt: „Möchten Sie über die Änderungen größerer Geräte sprechen?“ – für 5 €.",
    "iso8859-2": "Użytkownik może zmienić ustawienia w każdej chwili. Błędy należy zgłaszać pod adresem niżej, "
    "a świętość ludzkiego życia jest wartością nadrzędną, źródłem prawa.",
    "cp1250": "Příliš žluťoučký kůň úpěl ďábelské ódy. Uživatel může změnit nastavení kdykoli, pokud chce.",
    "cp1250-hungarian": "A felhasználó bármikor módosíthatja a beállításokat, ha van megfelelő joga, szűrő.",
    "koi8-r": "Пользователь может изменить настройки в любое время, если у него есть на это права.",
    "cp1251": "Об ошибках следует сообщать по указанному ниже адресу. Спасибо за сотрудничество.",
    "cp1253": "Ο χρήστης μπορεί να αλλάξει τις ρυθμίσεις, εφόσον διαθέτει τα κατάλληλα δικαιώματα.",
    "cp1254": "Kullanıcı, gerekli izinlere sahipse ayarları istediği zaman değiştirebilir, teşekkür ederiz.",
    "cp1255": "המשתמש יכול לשנות את ההגדרות בכל עת, אם יש לו הרשאות מתאימות.",
    "shift_jis": "利用者は、適切な権限を持っている場合、いつでも設定を変更することができます。",
    "euc-jp": "エラーは下記の住所に報告してください。ご協力ありがとうございます。これは文章です。",
    "gb18030": "用户如果拥有相应的权限，可以随时更改设置。错误请报告到下面的地址。感谢您的合作。",
    "big5": "使用者如果擁有相應的權限，可以隨時更改設定。錯誤請報告到下面的地址。感謝您的合作。",
    "euc-kr": "사용자는 적절한 권한이 있는 경우 언제든지 설정을 변경할 수 있습니다.",
    "iso2022-jp": "利用者は、いつでも設定を変更することができます。",
}


@pytest.mark.parametrize("encoding", TEXTS)
@pytest.mark.parametrize("before", ["", ENGLISH * 2000], ids=["alone", "after-english"])
def test_paragraph_in_a_legacy_encoding_is_read(encoding: str, before: str) -> None:
    """A paragraph tells its encoding, alone and after many lines of ASCII."""
    text = before + TEXTS[encoding]
    assert decode("a.txt", text.encode(encoding.removesuffix("-hungarian"))) == text


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_byte_order_mark_is_believed(encoding: str) -> None:
    """A mark tells the encoding, is dropped, and is believed over what is declared."""
    assert decode("a.txt", "naïve\r\ncafé\r".encode(encoding), "koi8-r") == "naïve\ncafé\n"


@pytest.mark.parametrize(
    ("declared", "content", "text"),
    [
        ("koi8-r", b"\xf0\xd2", "Пр"),
        ("ISO-8859-1", b"it\x92s caf\xe9", "it’s café"),
        ("gb2312", "朱镕基".encode("gbk"), "朱镕基"),
        ("Shift_JIS", "①".encode("cp932"), "①"),
        ("utf-8", "café".encode(), "café"),
        ("utf-8", b"caf\xe9", "café"),
        (" us-ascii ", b"plain", "plain"),
    ],
)
def test_declared_encoding_is_believed(declared: str, content: bytes, text: str) -> None:
    """What is declared is believed, as the web means it; UTF-8 only where it is that."""
    assert decode("a.html", content, declared) == text


@pytest.mark.parametrize("text", ["naïve café", "It’s a “quoted” text… ", "Straße", "£ 5 – 6"])
def test_western_european_is_meant_where_little_tells(text: str) -> None:
    """A few accents and typographic signs are those of Windows."""
    assert decode("a.txt", text.encode("cp1252")) == text


@pytest.mark.parametrize(
    ("content", "declared", "says"),
    [
        (b"a\0b", None, "binary"),
        (b"caf\xe9\0", None, "binary"),
        (bytes(range(1, 32)) * 9, None, "binary"),
        (b"\x89PNG\r\n\x1a\n\x81\x02\x03", None, "byte 0 is not utf-8"),
        ("Größe ändern, größer, müßig, für Ärzte ".encode() + b"\xff", None, "is not utf-8 text"),
        (b"x", "klingon", "the encoding 'klingon' is unknown"),
        (b"x", "base64", "the encoding 'base64' is unknown"),
        (b"x", "k\0", "is unknown"),
        (b"x" * 100_000, "punycode", "is not punycode text"),
        (b"\x81", "cp1252", "byte 0 is not"),
        (b"+2AA-", "utf-7", "character 0 is half a surrogate pair"),
        (b"\xff\xfea", None, "byte 2 is not utf-16-le"),
    ],
)
def test_what_is_not_text_is_refused(content: bytes, declared: str | None, says: str) -> None:
    """Binary, damaged and wrongly declared content is refused in one line that names it."""
    with pytest.raises(DocumentError) as caught:
        decode("a.txt", content, declared)
    assert str(caught.value).startswith("a.txt: ")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_controls_of_text_files_are_kept() -> None:
    """Page breaks, colours and overstrikes do not make a text binary."""
    text = "a\fb\x1b[1mc\x1b[0m\td\bd\n"
    assert decode("a.txt", text.encode()) == text


@pytest.mark.parametrize(
    "content",
    [
        ENGLISH.encode() * 100_000 + b"\xe9",
        b"a" * 7_000_000 + b"\xe9",
        "これは日本語。".encode("cp932") * 500_000,
    ],
    ids=["lines", "one-line", "dense"],
)
def test_megabytes_are_read_at_once(content: bytes) -> None:
    """Guessing looks at a part alone."""
    began = time.monotonic()
    decode("a.txt", content)
    assert time.monotonic() - began < 5


@settings(deadline=None)
@given(
    st.binary(max_size=400), st.sampled_from([None, "utf-8", "utf-16", "utf-7", "cp932", "idna", "hz", "hex"])
)
def test_any_bytes_are_text_or_refused(content: bytes, declared: str | None) -> None:
    """Whatever comes, it is text without NUL, halves of pairs and carriage returns, or a DocumentError."""
    try:
        text = decode("a", content, declared)
    except DocumentError:
        return
    text.encode()
    assert "\0" not in text
    assert "\r" not in text
