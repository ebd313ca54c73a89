//! Formats of Italian administration: codes with check digits, addresses, numbers of protocol; and
//! the detector that keeps tax codes of persons out of every text.

use crate::ids::{NodeId, OrganisationId, RecordId, SpaceId};

/// What is wrong with a text by the name of its field: a stable code and a sentence.
pub(super) fn fault(name: &str, text: &str) -> Option<(&'static str, &'static str)> {
    if name != "tax_code" && holds_personal_code(text) {
        return Some((
            "personal_tax_code",
            "this looks like the tax code of a person; data about people who are cared for, and \
             tax codes of staff, must not be written here: remove it",
        ));
    }
    let valid = match name {
        "tax_code" => is_numeric_code(text) || is_personal_code(&text.to_ascii_uppercase()),
        "vat_number" => is_numeric_code(text),
        "cap" => is_digits(text, 5),
        "istat_code" | "comune_istat" | "competence_area" => is_digits(text, 6),
        "prov" => text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase()),
        "protocol_no" => is_protocol(text),
        "email" | "pec" => is_email(text),
        "phone" | "mobile" => is_phone(text),
        "website" | "online_url" | "url" => text.starts_with("https://") && !text.contains(' '),
        "cig" => text.len() == 10 && is_code(text),
        "cup" => text.len() == 15 && is_code(text),
        "text_hash" => text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "deadline_rule" => is_duration(text),
        _ => return None,
    };
    if valid { None } else { expected(name).map(|expected| ("wrong_format", expected)) }
}

fn expected(name: &str) -> Option<&'static str> {
    Some(match name {
        "tax_code" => "a tax code has 11 digits (or 16 characters) and a check digit that fits",
        "vat_number" => "a VAT number has 11 digits, the last of which is a check digit that fits",
        "cap" => "a postal code has 5 digits",
        "istat_code" | "comune_istat" | "competence_area" => {
            "an ISTAT code of a comune has 6 digits"
        }
        "prov" => "a province is two capital letters, such as MS",
        "protocol_no" => "a protocol number is written 1234/2026",
        "email" | "pec" => "an e-mail address is written name@domain.it",
        "phone" | "mobile" => "a telephone number is written +39 and digits",
        "website" | "online_url" | "url" => "an address on the web begins with https://",
        "cig" => "a CIG has 10 letters and digits",
        "cup" => "a CUP has 15 letters and digits",
        "text_hash" => "a SHA-256 fingerprint has 64 hexadecimal digits",
        "deadline_rule" => "a term is an ISO 8601 duration, such as PT24H or P30D",
        _ => return None,
    })
}

/// Whether a reference that looks like one of our identifiers has been copied without an error.
pub(super) fn is_reference(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    match text.split_once('1') {
        Some((OrganisationId::PREFIX, _)) => text.parse::<OrganisationId>().is_ok(),
        Some((NodeId::PREFIX, _)) => text.parse::<NodeId>().is_ok(),
        Some((SpaceId::PREFIX, _)) => text.parse::<SpaceId>().is_ok(),
        Some((RecordId::PREFIX, _)) => text.parse::<RecordId>().is_ok(),
        _ => true,
    }
}

fn is_digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_code(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn is_protocol(text: &str) -> bool {
    text.split_once('/').is_some_and(|(number, year)| {
        (1..=7).contains(&number.len()) && is_digits(number, number.len()) && is_digits(year, 4)
    })
}

fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && local.len() <= 64
            && domain.contains('.')
            && !domain.starts_with('.')
            && !domain.ends_with('.')
            && !text.contains(char::is_whitespace)
            && !domain.contains('@')
    })
}

fn is_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let plain = text.chars().all(|char| char.is_ascii_digit() || " +".contains(char));
    plain && (3..=15).contains(&digits) && text.rfind('+').is_none_or(|at| at == 0)
}

fn is_duration(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('P') else { return false };
    let (days, time) = rest.split_once('T').unwrap_or((rest, ""));
    let empty = days.is_empty() && time.is_empty();
    !empty && !rest.ends_with('T') && has_units(days, "YMWD") && has_units(time, "HMS")
}

fn has_units(text: &str, units: &str) -> bool {
    let mut digits = 0;
    let mut units = units.chars();
    for char in text.chars() {
        if char.is_ascii_digit() {
            digits += 1;
        } else if digits == 0 || !units.any(|unit| unit == char) {
            return false;
        } else {
            digits = 0;
        }
    }
    digits == 0
}

/// Eleven digits, the last of which is a check digit. All zeros pass the sum and are no code.
pub(super) fn is_numeric_code(text: &str) -> bool {
    if !is_digits(text, 11) || text.bytes().all(|byte| byte == b'0') {
        return false;
    }
    let sum: u32 = (0u32..)
        .zip(text.bytes())
        .map(|(at, byte)| {
            let digit = u32::from(byte - b'0');
            match (at % 2 == 1, digit * 2) {
                (false, _) => digit,
                (true, double) if double > 9 => double - 9,
                (true, double) => double,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Whether a word of the text has the form of a person's tax code.
pub(super) fn holds_personal_code(text: &str) -> bool {
    let upper = text.to_ascii_uppercase();
    let plain: String = upper.chars().filter(|char| !char.is_whitespace()).collect();
    upper.split(|char: char| !char.is_ascii_alphanumeric()).any(has_personal_form)
        || has_personal_form(&plain)
}

fn is_personal_code(text: &str) -> bool {
    has_personal_form(text) && check_letter(text).is_some_and(|letter| text.ends_with(letter))
}

/// `AAAAAA00A00A000A`, with the letters that stand for digits when two people share a code.
fn has_personal_form(word: &str) -> bool {
    const DIGITS: &str = "0123456789LMNPQRSTUV";
    const FORM: &str = "aaaaaaddmddaddda";
    word.len() == FORM.len()
        && word.chars().zip(FORM.chars()).all(|(char, expected)| match expected {
            'd' => DIGITS.contains(char),
            'm' => "ABCDEHLMPRST".contains(char),
            _ => char.is_ascii_uppercase(),
        })
}

fn check_letter(code: &str) -> Option<char> {
    const ODD: [u32; 36] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3,
        6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
    ];
    let mut sum = 0;
    for (at, char) in code.chars().take(15).enumerate() {
        let value = char.to_digit(36)?;
        let plain = if value >= 10 { value - 10 } else { value };
        sum += if at % 2 == 0 { *ODD.get(value as usize)? } else { plain };
    }
    char::from_digit(sum % 26 + 10, 36).map(|letter| letter.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_of_real_bodies_fit() {
        for code in ["00097020598", "03301860544", "02198590503"] {
            assert!(is_numeric_code(code), "{code}");
        }
        for code in ["80008250752", "00000000000", "0009702059", "0009702059A"] {
            assert!(!is_numeric_code(code), "{code}");
        }
        assert!(is_personal_code("RSSMRA85M01H501Q"));
        assert!(!is_personal_code("RSSMRA85M01H501A"));
    }

    #[test]
    fn tax_codes_of_persons_are_found_in_text() {
        for text in [
            "ospite RSSMRA85M01H501Q, arrivato ieri",
            "rssmra85m01h501q",
            "(RSSMRA85M01H501Q)",
            "RSS MRA 85M01 H501Q",
        ] {
            assert!(holds_personal_code(text), "{text}");
        }
        for text in
            ["Comune di Mulazzo, c_f802", "art. 5 c. 1", "00097020598", "LAVORO ESTERNO 2026"]
        {
            assert!(!holds_personal_code(text), "{text}");
        }
    }

    #[test]
    fn formats() {
        let good = [
            ("protocol_no", "4512/2025"),
            ("phone", "+390187001000"),
            ("email", "casa@comunita.example"),
            ("deadline_rule", "PT24H"),
            ("deadline_rule", "P30D"),
            ("cap", "54026"),
            ("title", "anything"),
        ];
        for (name, text) in good {
            assert_eq!(fault(name, text), None, "{name} {text}");
        }
        let bad = [
            ("protocol_no", "4512-2025"),
            ("phone", "0187/001000"),
            ("email", "casa@comunita"),
            ("deadline_rule", "24 ore"),
            ("deadline_rule", "P"),
            ("deadline_rule", "PT"),
            ("cap", "5402"),
            ("prov", "ms"),
            ("url", "http://example.it"),
        ];
        for (name, text) in bad {
            assert_eq!(fault(name, text).unwrap().0, "wrong_format", "{name} {text}");
        }
    }

    #[test]
    fn a_mistyped_identifier_is_no_reference() {
        let id = OrganisationId::from_bytes([4; 32]).to_string();
        assert!(is_reference(&id) && is_reference("mulazzo"));
        let wrong = id.replace('q', "p");
        assert!(!is_reference(&wrong));
    }
}
