//! Rules about the controller.

use crate::lint::Rule;
use crate::lint::case::Case;
use crate::lint::rule::Found;
use crate::profile::ControllerRole;

pub(in crate::lint) static CTRL_MISSING: Rule = Rule {
    id: "CTRL_MISSING",
    breach: "nobody could reach the controller",
    source: "XZ-0.1, CA-8, XS-VII; cn-pipl:17, gdpr:13-1-a",
    waivable: false,
    look: missing,
};

fn missing(case: &Case<'_>) -> Found {
    let controller = &case.document.controller;
    let others = controller.others().map(|(key, who)| (format!("{key}.contact"), &who.contact));
    let all = [("controller.contact".to_owned(), &controller.contact)].into_iter().chain(others);
    let message =
        "nobody could be reached: give an address, a phone number, an e-mail address, or a page with https://";
    all.filter(|(_, contact)| !contact.is_usable()).map(|(key, _)| (key, message.to_owned())).collect()
}

pub(in crate::lint) static CTRL_JOINT_UNNAMED: Rule = Rule {
    id: "CTRL_JOINT_UNNAMED",
    breach: "several decide together, and it is not said who the others are, or the other way about",
    source: "cn-pipl:20, gdpr:26, gdpr:30-1-a",
    waivable: false,
    look: joint,
};

fn joint(case: &Case<'_>) -> Found {
    let controller = &case.document.controller;
    let found = |key: &str, message: &str| vec![(format!("controller.{key}"), message.to_owned())];
    match (controller.role, controller.joint.is_empty()) {
        (ControllerRole::JointDataControllers, true) => found(
            "joint",
            "the others are not named; write joint = [{ name = \"...\", contact = { email = \"...\" } }]",
        ),
        (ControllerRole::DataController | ControllerRole::DataProcessor, false) => {
            found("role", "others decide, too; write role = \"JointDataControllers\", or remove `joint`")
        }
        _ => Found::new(),
    }
}
