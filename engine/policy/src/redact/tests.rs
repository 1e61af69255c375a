use proptest::prelude::*;
use proptest::sample::select;

use super::*;

fn everything() -> Redactor {
    Redaction::ALL.into_iter().collect()
}

fn left(text: &str) -> String {
    everything().redact(text).map_or_else(|| text.to_owned(), |redacted| redacted.text)
}

#[test]
fn numbers_are_found_however_they_are_written() {
    for (text, expect) in [
        ("my card is 4111 1111 1111 1111, till 12/27", "my card is [bank_card], till 12/27"),
        ("4111-1111-1111-1111", "[bank_card]"),
        ("4111, 1111, 1111, 1111.", "[bank_card]."),
        ("3782 822463 10005", "[bank_card]"),
        ("６２２２０２１２３４５６７８９４ 是我的卡", "[bank_card] 是我的卡"),
        ("卡号四一一一一一一一一一一一一一一一。", "卡号[bank_card]。"),
        ("卡号是四幺幺幺 幺幺幺幺，一一一一、1111", "卡号是[bank_card]"),
        ("Four one one one, one one one one. no", "Four one one one, one one one one. no"),
        ("four triple one one one double one one one one one one one one one", "[bank_card]"),
        ("11010519491231002X", "[cn_id]"),
        ("我的身份证是110105 19491231 002X。", "我的身份证是[cn_id]。"),
        ("一一零一零五一九四九一二三一零零二叉", "[cn_id]"),
        ("one one oh one zero five one nine four nine one two three one oh oh two X", "[cn_id]"),
        ("打13812345678或010-12345678", "打[phone]或[phone]"),
        ("+44 20 7946 0958 or 0086 138 1234 5678", "+[phone] or [phone]"),
        ("+1 (415) 555-2671, ext. 5", "+[phone], ext. 5"),
        ("打(010) 6555-1234 或（010）65551234", "打[phone] 或[phone]"),
        ("(call (0571) 8888-6666)", "(call [phone])"),
        ("+49.30.1234567 or 030/1234567 89", "+[phone] or [phone]"),
        ("+(49) 30 1234567", "+[phone]"),
        ("138.1234.5678", "[phone]"),
        ("4111.1111.1111.1111.", "[bank_card]."),
        ("4111 1111 1111 1111 123", "[bank_card] 123"),
        ("4111111111111111 and 5500005555555559", "[bank_card] and [bank_card]"),
    ] {
        assert_eq!(left(text), expect, "{text}");
    }
}

#[test]
fn ordinary_numbers_stay() {
    for text in [
        "",
        "It is 18:05 on 2026-11-22, 21.5 degrees.",
        "22.11.2026 18:05:33.123456",
        "2026-11-22 18:05",
        "22/03/2026, 23/04/2026 and 09/12/2026",
        "192.168.100.200 and 139.124.123.45",
        "1.234.567.890,12 (that is 12) of 21.500",
        "1 (2) 3 (4) 5 (6) 7 (8) 9 (10) 11 (12)",
        "From 2019 to 2026, that is 2020, 2021, 2022, 2023, 2024, 2025.",
        "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20",
        "one two three four five six seven eight nine ten",
        "一二三四五六七八九十，十一月二十二日",
        "It costs $1,234,567,890,123.45",
        "三千四百五十六万七千八百九十元",
        "3.14159265358979",
        "Set a timer for ten minutes and thirty seconds.",
        "4111 1111 1111 1112",
        "11010519491231002Y 110105194912310021",
        "wake me at 6, 7 or 8, not at 9",
        "二〇二六年十一月二十二日十八点零五分",
        "X marks the spot, double trouble",
    ] {
        assert_eq!(everything().redact(text).map(|r| r.text), None, "{text}");
    }
}

#[test]
fn only_what_is_named_is_taken_out() {
    let text = "4111111111111111 13812345678 11010519491231002X";
    let phone: Redactor = [Redaction::Phone].into_iter().collect();
    let redacted = phone.redact("4111111111111111. 13812345678. 11010519491231002X").unwrap();
    assert_eq!(
        (redacted.text.as_str(), redacted.taken),
        ("4111111111111111. [phone]. 11010519491231002X", vec![Redaction::Phone])
    );
    assert!(Redactor::default().redact(text).is_none());
    assert_eq!(Redaction::ALL.map(|what| Redaction::named(what.name())), Redaction::ALL.map(Some));
}

/// A payment card's number of one of the schemes.
fn card() -> impl Strategy<Value = String> {
    let scheme = select(vec![
        ("4", 16),
        ("4", 13),
        ("51", 16),
        ("2221", 16),
        ("34", 15),
        ("36", 14),
        ("3528", 16),
        ("62", 16),
        ("62", 19),
        ("50", 12),
        ("9558", 19),
    ]);
    (scheme, "[0-9]{19}").prop_map(|((prefix, length), digits)| {
        let number = format!("{prefix}{}", &digits[prefix.len()..length - 1]);
        let doubled = number.bytes().rev().enumerate().map(|(i, b)| {
            let product = u32::from(b - b'0') * if i % 2 == 0 { 2 } else { 1 };
            product / 10 + product % 10
        });
        let check = (10 - doubled.sum::<u32>() % 10) % 10;
        format!("{number}{check}")
    })
}

/// An identity number.
fn resident() -> impl Strategy<Value = String> {
    ("[1-8][0-9]{5}", 1900..2030_u32, 1..=12_u32, 1..=28_u32, "[0-9]{3}").prop_map(|(place, year, month, day, rest)| {
        let number = format!("{place}{year}{month:02}{day:02}{rest}");
        // the weights and the characters as the standard's table has them
        let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
        let sum: usize = number.bytes().zip(weights).map(|(b, weight)| usize::from(b - b'0') * weight).sum();
        format!("{number}{}", char::from(b"10X98765432"[sum % 11]))
    })
}

/// How somebody writes a number, or a recogniser.
fn written(number: &str, style: usize) -> String {
    let grouped = |between: &str, size: usize| {
        let groups: Vec<_> = number.as_bytes().chunks(size).map(|group| String::from_utf8_lossy(group)).collect();
        groups.join(between)
    };
    let each = |words: [&str; 11], between: &str| {
        let word = |b: u8| if b == b'X' { words[10] } else { words[usize::from(b - b'0')] };
        number.bytes().map(word).collect::<Vec<_>>().join(between)
    };
    let english = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "X"];
    match style {
        0 => number.to_owned(),
        1 => grouped(" ", 4),
        2 => grouped("-", 4),
        3 => grouped(" ", 6),
        4 => grouped(" ", 1),
        5 => grouped(", ", 3),
        6 => each(["零", "一", "二", "三", "四", "五", "六", "七", "八", "九", "叉"], ""),
        7 => each(["〇", "幺", "二", "三", "四", "五", "六", "七", "八", "九", "X"], " "),
        8 => each(["０", "１", "２", "３", "４", "５", "６", "７", "８", "９", "Ｘ"], ""),
        9 => each(english, " "),
        _ => each(english, "-"),
    }
}

const STYLES: usize = 11;

/// Sentences around a number.
const SENTENCES: [(&str, &str); 8] = [
    ("my number is ", ""),
    ("Please remember that it is ", ", thank you."),
    ("it's ", ": got it? At 18:05 I leave."),
    ("我的号码是", "。"),
    ("帮我记一下，", "，谢谢"),
    ("号码：", "，明天9点用"),
    ("(", ")"),
    ("No. ", "\nand on 2026-11-22 there were 15."),
];

proptest! {
    #[test]
    fn no_number_of_the_corpus_is_left(number in prop_oneof![card(), resident()], style in 0..STYLES, around in 0..SENTENCES.len()) {
        let (before, after) = SENTENCES[around];
        let written = written(&number, style);
        let text = format!("{before}{written}{after}");
        let redacted = everything().redact(&text).expect("it is found");
        prop_assert!(!redacted.text.contains(&written), "{text} became {}", redacted.text);
        // nor enough of it to guess the rest
        let values: Vec<_> = Digits::of(&redacted.text).collect();
        prop_assert!(values.len() < 24 && redacted.text.starts_with(before), "{text} became {}", redacted.text);
        let kept: String = values.iter().map(|digit| digit.value.to_string()).collect();
        prop_assert!(!kept.contains(&number[..8]) && !kept.contains(&number[4..12]), "{text} became {}", redacted.text);
    }

    #[test]
    fn nothing_more_is_found_in_what_is_left(text in "[0-9 一二三xX,-]{0,80}") {
        let checked: Redactor = [Redaction::BankCard, Redaction::CnId].into_iter().collect();
        if let Some(once) = checked.redact(&text) {
            prop_assert!(checked.redact(&once.text).is_none(), "{text} became {}", once.text);
        }
    }

    #[test]
    fn times_dates_and_amounts_stay(h in 0..24, m in 0..60, s in 0..60, day in 1..29, month in 1..13, year in 1900..2100, amount in 0_u64..99_999_999_999) {
        let thousands: Vec<_> = amount.to_string().as_bytes().rchunks(3).rev().map(|c| String::from_utf8_lossy(c).into_owned()).collect();
        for text in [
            format!("{year}-{month:02}-{day:02} {h:02}:{m:02}:{s:02}"),
            format!("{day}.{month}.{year}, {h}:{m:02}"),
            format!("{year}年{month}月{day}日{h}点{m}分"),
            format!("EUR {}.{s:02}", thousands.join(",")),
            format!("{h} hours, {m} minutes, {s} seconds"),
        ] {
            prop_assert!(everything().redact(&text).is_none(), "{}", text);
        }
    }

    #[test]
    fn any_text_is_survived(text in "\\PC{0,200}") {
        let _ = everything().redact(&text);
    }

    #[test]
    fn texts_without_digits_stay(text in "[^0-9０-９零〇一二三四五六七八九幺a-zA-Z]{0,200}") {
        prop_assert!(everything().redact(&text).is_none());
    }
}
