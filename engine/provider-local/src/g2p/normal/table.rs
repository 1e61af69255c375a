//! Units, titles, abbreviations and symbols, with their words.

/// Written form, one of it, many of it.
const UNITS: [(&str, &str, &str); 37] = [
    ("km/h", "kilometer per hour", "kilometers per hour"),
    ("kph", "kilometer per hour", "kilometers per hour"),
    ("mph", "mile per hour", "miles per hour"),
    ("km", "kilometer", "kilometers"),
    ("cm", "centimeter", "centimeters"),
    ("mm", "millimeter", "millimeters"),
    ("mi", "mile", "miles"),
    ("ft", "foot", "feet"),
    ("yd", "yard", "yards"),
    ("kg", "kilogram", "kilograms"),
    ("mg", "milligram", "milligrams"),
    ("lbs", "pound", "pounds"),
    ("lb", "pound", "pounds"),
    ("oz", "ounce", "ounces"),
    ("ml", "milliliter", "milliliters"),
    ("kHz", "kilohertz", "kilohertz"),
    ("MHz", "megahertz", "megahertz"),
    ("GHz", "gigahertz", "gigahertz"),
    ("Hz", "hertz", "hertz"),
    ("kWh", "kilowatt hour", "kilowatt hours"),
    ("kW", "kilowatt", "kilowatts"),
    ("MW", "megawatt", "megawatts"),
    ("GW", "gigawatt", "gigawatts"),
    ("KB", "kilobyte", "kilobytes"),
    ("kB", "kilobyte", "kilobytes"),
    ("MB", "megabyte", "megabytes"),
    ("GB", "gigabyte", "gigabytes"),
    ("TB", "terabyte", "terabytes"),
    ("Mbps", "megabit per second", "megabits per second"),
    ("hrs", "hour", "hours"),
    ("hr", "hour", "hours"),
    ("mins", "minute", "minutes"),
    ("min", "minute", "minutes"),
    ("secs", "second", "seconds"),
    ("sec", "second", "seconds"),
    ("ms", "millisecond", "milliseconds"),
    ("fps", "frame per second", "frames per second"),
];

/// Words before a name; "St" is a street behind one.
const TITLES: [(&str, &str); 16] = [
    ("Mr", "Mister"),
    ("Mrs", "Mrs"),
    ("Ms", "Miz"),
    ("Dr", "Doctor"),
    ("Prof", "Professor"),
    ("St", "Saint"),
    ("Mt", "Mount"),
    ("Ft", "Fort"),
    ("Gen", "General"),
    ("Gov", "Governor"),
    ("Sen", "Senator"),
    ("Capt", "Captain"),
    ("Lt", "Lieutenant"),
    ("Col", "Colonel"),
    ("Sgt", "Sergeant"),
    ("Rev", "Reverend"),
];

const ABBREVIATIONS: [(&str, &str); 40] = [
    ("Jr.", "Junior"),
    ("Sr.", "Senior"),
    ("St.", "Street"),
    ("Ave.", "Avenue"),
    ("Blvd.", "Boulevard"),
    ("Rd.", "Road"),
    ("Hwy.", "Highway"),
    ("Apt.", "Apartment"),
    ("Bldg.", "Building"),
    ("Ltd.", "Limited"),
    ("Inc.", "Incorporated"),
    ("Corp.", "Corporation"),
    ("Co.", "Company"),
    ("Bros.", "Brothers"),
    ("Dept.", "Department"),
    ("Univ.", "University"),
    ("approx.", "approximately"),
    ("est.", "established"),
    ("vs.", "versus"),
    ("vs", "versus"),
    ("vol.", "volume"),
    ("Vol.", "Volume"),
    ("fig.", "figure"),
    ("Fig.", "Figure"),
    ("etc.", "etcetera"),
    ("e.g.", "for example"),
    ("i.e.", "that is"),
    ("w/o", "without"),
    ("w/", "with"),
    ("Mon.", "Monday"),
    ("Tue.", "Tuesday"),
    ("Tues.", "Tuesday"),
    ("Wed.", "Wednesday"),
    ("Thu.", "Thursday"),
    ("Thurs.", "Thursday"),
    ("Fri.", "Friday"),
    ("Sat.", "Saturday"),
    ("Sun.", "Sunday"),
    ("aka", "also known as"),
    ("AKA", "also known as"),
];

/// A figure and a unit.
pub(super) fn unit_pattern() -> String {
    let units: Vec<&str> = UNITS.iter().map(|(written, ..)| *written).collect();
    format!(r"(-?\d+(?:,\d{{3}})*(?:\.\d+)?)\s?({})\b", units.join("|"))
}

/// The words for one and for many of a unit.
pub(super) fn unit(written: &str) -> Option<(&'static str, &'static str)> {
    UNITS.into_iter().find(|(unit, ..)| *unit == written).map(|(_, one, many)| (one, many))
}

/// A title and the capital letter after it.
pub(super) fn title_pattern() -> String {
    let titles: Vec<&str> = TITLES.iter().map(|(written, _)| *written).collect();
    format!(r"\b({})\.? ([A-Z]\w*)", titles.join("|"))
}

/// The word for a title.
pub(super) fn title(written: &str) -> Option<&'static str> {
    TITLES.into_iter().find(|(title, _)| *title == written).map(|(_, word)| word)
}

/// An abbreviation; `end` is there when the text ends with it.
pub(super) fn abbreviation_pattern() -> String {
    let written: Vec<String> = ABBREVIATIONS.iter().map(|(written, _)| regex::escape(written)).collect();
    format!(r"\b({})(?<end>$)?", written.join("|"))
}

/// The words for an abbreviation.
pub(super) fn abbreviation(written: &str) -> Option<&'static str> {
    ABBREVIATIONS.into_iter().find(|(abbreviation, _)| *abbreviation == written).map(|(_, word)| word)
}

/// The words for a symbol; empty for one that is not spoken.
pub(super) fn symbol(c: char) -> Option<&'static str> {
    Some(match c {
        '=' => "equals",
        '<' => "less than",
        '>' => "greater than",
        '~' => "about",
        '°' => "degrees",
        '§' => "section",
        '±' => "plus or minus",
        '×' => "times",
        '÷' => "divided by",
        '©' => "copyright",
        '→' => "to",
        '½' => "one half",
        '¼' => "one quarter",
        '¾' => "three quarters",
        '²' => "squared",
        '³' => "cubed",
        '^' => "to the power of",
        '#' => "hashtag",
        '|' => ",",
        '™' | '®' | '•' | '←' | '_' | '\\' | '`' => "",
        _ => return None,
    })
}
