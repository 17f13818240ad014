"""Splitting a full name."""

import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formapp.forms.reading.contact import split_full_name


@pytest.mark.parametrize(
    ("typed", "first", "last"),
    [
        ("Ann Lee", "Ann", "Lee"),
        ("Mary Ann Smith", "Mary Ann", "Smith"),
        ("Madonna", "Madonna", ""),
        ("", "", ""),
        ("Ann  Lee", "Ann ", "Lee"),
        ("Ann\u00a0Lee", "Ann", "Lee"),
        ("Ann\u3000Lee", "Ann", "Lee"),
        ("Ann\u2009Lee", "Ann", "Lee"),
        ("Иван Петров", "Иван", "Петров"),
        ("محمد علي", "محمد", "علي"),
        ("नरेन्द्र मोदी", "नरेन्द्र", "मोदी"),
        ("Nguyễn Văn An", "Nguyễn Văn", "An"),
        # Particles
        ("Ludwig van Beethoven", "Ludwig", "van Beethoven"),
        ("Oscar de la Renta", "Oscar", "de la Renta"),
        ("Vincent Van Gogh", "Vincent Van", "Gogh"),
        ("van Gogh", "van", "Gogh"),
        ("Ann de", "Ann", "de"),
        ("Ali al-Hassan", "Ali", "al-Hassan"),
        ("Osama bin Laden", "Osama", "bin Laden"),
        ("Sophie in 't Veld", "Sophie", "in 't Veld"),
        ("Hilma af Klint", "Hilma", "af Klint"),
        ("José Ortega y Gasset", "José", "Ortega y Gasset"),
        ("Ann y Lee", "Ann y", "Lee"),
        ("Ana Maria da Costa e Silva", "Ana Maria", "da Costa e Silva"),
        ("Gabriel García Márquez", "Gabriel García", "Márquez"),
        # Suffixes
        ("Robert Downey Jr.", "Robert", "Downey Jr."),
        ("Robert Downey Jr", "Robert", "Downey Jr"),
        ("Robert Downey JR", "Robert", "Downey JR"),
        ("Robert Downey, Jr.", "Robert", "Downey, Jr."),
        ("Robert John Downey, Jr.", "Robert John", "Downey, Jr."),
        ("Sammy Davis Sr.", "Sammy", "Davis Sr."),
        ("Thurston Howell III", "Thurston", "Howell III"),
        ("Thurston Howell, III", "Thurston", "Howell, III"),
        ("Ludwig van Beethoven II", "Ludwig", "van Beethoven II"),
        ("Ann Lee PhD", "Ann", "Lee PhD"),
        ("Ann Lee, PhD", "Ann", "Lee, PhD"),
        ("Ann Lee, Ph.D.", "Ann", "Lee, Ph.D."),
        ("Ann Lee, M.D., Ph.D.", "Ann", "Lee, M.D., Ph.D."),
        ("Ann Lee, PhD MBA", "Ann", "Lee, PhD MBA"),
        ("Ann Lee Jr., M.D.", "Ann", "Lee Jr., M.D."),
        ("John Smith Esq.", "John", "Smith Esq."),
        ("John Smith, Esq.", "John", "Smith, Esq."),
        ("José da Silva Júnior", "José", "da Silva Júnior"),
        ("José da Silva Filho", "José", "da Silva Filho"),
        ("Johann Strauss sen.", "Johann", "Strauss sen."),
        ("Acme Widgets, Inc.", "Acme", "Widgets, Inc."),
        ("Ann Lee, MA", "Ann", "Lee, MA"),
        ("Robert Jr.", "Robert", "Jr."),
        ("Agostinho Neto", "Agostinho", "Neto"),
        ("Jr.", "Jr.", ""),
        ("Robert Downey, Senior", "Robert", "Downey, Senior"),
        ("Thurston Howell, the Third", "Thurston", "Howell, the Third"),
        ("Thurston Howell, iii", "Thurston", "Howell, iii"),
        ("Ann Lee, phd", "Ann", "Lee, phd"),
        ("Ann Lee, Phd., mba", "Ann", "Lee, Phd., mba"),
        ("Acme Widgets, inc.", "Acme", "Widgets, inc."),
        # Last names that look like suffixes
        ("Yo-Yo Ma", "Yo-Yo", "Ma"),
        ("LI XIU MA", "LI XIU", "MA"),
        ("Amartya Kumar Sen", "Amartya Kumar", "Sen"),
        ("Lee Dong Jun", "Lee Dong", "Jun"),
        ("Ram Bahadur KC", "Ram Bahadur", "KC"),
        ("Ann V", "Ann", "V"),
        ("John Smith Md", "John Smith", "Md"),
        # Last, First
        ("Smith, John", "John", "Smith"),
        ("Smith,John", "John", "Smith"),
        ("Smith ,  John", "John", "Smith"),
        ("Smith，John", "John", "Smith"),
        ("Smith, V", "V", "Smith"),
        ("Smith, John Paul", "John Paul", "Smith"),
        ("Smith, J. R.", "J. R.", "Smith"),
        ("van Gogh, Vincent", "Vincent", "van Gogh"),
        ("Gogh, Vincent van", "Vincent", "van Gogh"),
        ("Renta, Oscar de la", "Oscar", "de la Renta"),
        ("García Márquez, Gabriel", "Gabriel", "García Márquez"),
        ("Ma, Yo-Yo", "Yo-Yo", "Ma"),
        ("Sen, Amartya", "Amartya", "Sen"),
        ("Downey Jr., Robert", "Robert", "Downey Jr."),
        ("Downey, Robert Jr.", "Robert", "Downey Jr."),
        ("Downey, Robert, Jr.", "Robert", "Downey, Jr."),
        ("Downey, Jr., Robert", "Robert", "Downey, Jr."),
        ("Rahman, Md", "Md", "Rahman"),
        ("Nguyen, Vi", "Vi", "Nguyen"),
        ("King, Martin Luther, Jr.", "Martin Luther", "King, Jr."),
        ("Lee, Ann, PhD, MD", "Ann", "Lee, PhD, MD"),
        ("علي، محمد", "محمد", "علي"),
        ("Smith、John", "John", "Smith"),
        # A comma at an end is a slip.
        ("Smith,", "Smith", ""),
        ("Smith, ", "Smith", ""),
        ("Ann Lee,", "Ann", "Lee"),
        ("Ann Lee ,", "Ann", "Lee"),
        ("Smith, John,", "John", "Smith"),
        ("Robert Downey, Jr.,", "Robert", "Downey, Jr."),
        (", John", "John", ""),
        ("山田 太郎、", "太郎", "山田"),
        (",", ",", ""),
        (",,", ",,", ""),
        ("Downey, Jr.", "Downey, Jr.", ""),
        # Chinese, Japanese, Korean
        ("山田 太郎", "太郎", "山田"),
        ("山田\u3000太郎", "太郎", "山田"),
        ("山田\u00a0太郎", "太郎", "山田"),
        ("山田  太郎", "太郎", "山田"),
        ("やまだ たろう", "たろう", "やまだ"),
        ("ヤマダ タロウ", "タロウ", "ヤマダ"),
        ("ﾔﾏﾀﾞ ﾀﾛｳ", "ﾀﾛｳ", "ﾔﾏﾀﾞ"),
        ("佐々木 希", "希", "佐々木"),
        ("山田 太郎 様", "太郎 様", "山田"),
        ("山田太郎 様", "山田太郎 様", ""),
        ("山田太郎", "山田太郎", ""),
        ("山田, 太郎", "太郎", "山田"),
        ("山田、太郎", "太郎", "山田"),
        ("王 小明", "小明", "王"),
        ("欧阳\u3000娜娜", "娜娜", "欧阳"),
        ("𠮷田 太郎", "太郎", "𠮷田"),
        ("김 철수", "철수", "김"),
        ("남궁 민수", "민수", "남궁"),
        ("ジョン・スミス", "ジョン", "スミス"),
        ("ジョン･スミス", "ジョン", "スミス"),
        ("ｼﾞｮﾝ･ｽﾐｽ", "ｼﾞｮﾝ", "ｽﾐｽ"),
        ("ジョン・F・ケネディ", "ジョン・F", "ケネディ"),
        ("ジャン＝リュック・ゴダール", "ジャン＝リュック", "ゴダール"),
        ("ジョン・ポール ジョーンズ", "ジョン・ポール", "ジョーンズ"),
        ("约翰·史密斯", "约翰", "史密斯"),
        ("ジョン・スミス 様", "ジョン", "スミス 様"),
        ("・スミス", "・スミス", ""),
        ("山田 Taro", "山田", "Taro"),
        ("Taro 山田", "Taro", "山田"),
    ],
)
def test_a_full_name_is_split_where_people_would(typed: str, first: str, last: str) -> None:
    assert split_full_name(typed) == (first, last)


words = st.lists(
    st.text(max_size=6)
    | st.sampled_from(
        ["van", "de", "la", "y", "Ann", "Jr.", "III", "PhD", "MA", "山田", "ジョン・"]
    ),
    max_size=6,
)
names = (words.map(" ".join) | words.map(", ".join) | st.text()).map(
    lambda text: " ".join(text.split())
)
COMMAS = ",，،"


@given(names)
def test_both_halves_joined_by_a_blank_give_back_what_was_typed(typed: str) -> None:
    first, last = split_full_name(typed)
    joined = f"{first} {last}" if last else first
    if not any(char >= "\u1100" for char in typed) and not any(c in typed for c in COMMAS):
        assert joined == typed
    assert first.strip() or not typed


@given(names)
def test_no_letter_is_lost(typed: str) -> None:
    def letters(text: str) -> Counter[str]:
        return Counter(char for char in text if char not in f"{COMMAS} ・·•‧･")

    assert letters("".join(split_full_name(typed))) == letters(typed)


@pytest.mark.parametrize(
    "unit", ["a", "a ", "de ", "y ", ", ", "Jr. ", "a,", "山 ", "・", " ", "\u0345"]
)
def test_the_longest_text_is_split_quickly(unit: str) -> None:
    started = time.process_time()
    split_full_name((unit * 10_000)[:10_000])
    split_full_name("x " + (unit * 10_000)[:10_000])
    assert time.process_time() - started < 0.1
