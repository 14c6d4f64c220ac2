//! Users and passwords in a configuration, and `target.containers`.

use super::repository::kind;
use super::rules::Rules;
use crate::deliver::setting::{Fields, Setting};
use crate::error::Result;
use crate::registry::Secret;
use crate::report::Warning;
use crate::settings::{Account, Settings};

/// The variables that go before what a file says, as far as their common beginning.
pub(super) const REPOSITORY: &str = "TARGET_REPO_AUTH";
const REGISTRY: &str = "TARGET_CONTAINERS_AUTH";

/// User and password of a section, whose `auth` this reads. `said` is what the variables that
/// begin with `variables` say, and goes first.
pub(super) fn read(
    section: &Fields<'_>,
    said: &Account,
    variables: &str,
    warnings: &mut Vec<Warning>,
) -> Result<Option<(String, Secret)>> {
    let misplaced = misplaced(section, warnings);
    let auth = section.section("auth")?;
    let place = match (&auth, misplaced) {
        (Some(auth), _) => Some(auth),
        (None, true) => Some(section),
        (None, false) => None,
    };
    let of = |key: &str, said: &Option<String>| -> Result<Option<String>> {
        match (said, place) {
            (Some(said), _) => Ok(Some(said.clone())),
            (None, Some(place)) => Ok(place.text(key)?.map(str::to_owned)),
            (None, None) => Ok(None),
        }
    };
    let username = of("username", &said.username)?;
    let password = of("password", &said.password)?;
    let lacks = |key: &str, variable: &str| {
        let name = section.itself().name();
        let error = match section.entry("auth") {
            Some(auth) => auth.wrong(format!("has no `{key}`")),
            None => section.itself().wrong(format!("has no `auth.{key}`")),
        };
        error.hint(format!(
            "write it below `{name}.auth`, or set `{variables}_{variable}`"
        ))
    };
    match (username, password) {
        (Some(username), Some(password)) => Ok(Some((username, Secret::new(password)))),
        (Some(_), None) => Err(lacks("password", "PASSWORD")),
        (None, Some(_)) => Err(lacks("username", "USERNAME")),
        (None, None) => Ok(None),
    }
}

/// Names that may stand beside an `auth` that is empty.
pub(super) fn besides(section: &Fields<'_>) -> &'static [&'static str] {
    match section.entry("auth") {
        Some(_) if section.get("auth").is_none() => &["username", "password"],
        _ => &[],
    }
}

/// Whether user and password stand beside `auth:` instead of below it, as in a page of
/// documentation that many copy from.
fn misplaced(section: &Fields<'_>, warnings: &mut Vec<Warning>) -> bool {
    let found: Vec<&Setting<'_>> = besides(section)
        .iter()
        .filter_map(|key| section.entry(key))
        .collect();
    let Some(first) = found.first() else {
        return false;
    };
    let auth = format!("{}.auth", section.itself().name());
    let names: Vec<String> = found.iter().map(|f| format!("`{}`", f.name())).collect();
    let stands = if names.len() == 1 { "stands" } else { "stand" };
    warnings.push(Warning {
        reference: None,
        code: "misplaced-auth",
        message: format!(
            "{}: {} {stands} beside `auth:`, not below it, and count as `{auth}`: indent them \
             further than `auth:`, or write `auth: {{username: …, password: …}}`",
            first.place(),
            names.join(" and ")
        ),
    });
    true
}

/// User and password for the registry of the images, as `target.containers` says.
pub(super) fn of_images(
    target: &Fields<'_>,
    settings: &Settings,
    rules: &Rules,
    warnings: &mut Vec<Warning>,
) -> Result<Option<(String, Secret)>> {
    let said = &settings.target_registry;
    let Some(containers) = target.fields("containers")? else {
        let login = from_outside(target, said)?;
        return Ok(login.filter(|_| rules.rules.to().is_some()));
    };
    let misplacing = besides(&containers);
    let containers = containers.known(misplacing)?;
    let mut login = read(&containers, said, REGISTRY, warnings)?;
    let auth = containers.fields("auth")?;
    if let (Some(auth), None) = (&auth, &login) {
        return Err(auth
            .itself()
            .wrong("has neither `username` nor `password`")
            .hint("leave it out, and what `docker login` keeps is used"));
    }
    if let Some(auth) = &auth {
        check_registry(auth, rules, warnings)?;
    }
    if rules.rules.to().is_none() && login.take().is_some() {
        let what = "has no effect: images stay in their own registries, for which there is no \
                    user; set `target.containerRegistry`";
        warnings.push(containers.itself().warning("ignored-setting", what));
    }
    // Whether it is a Harbor, the registry itself tells.
    if let Some((setting, "JFROG")) = kind(&containers)? {
        let what = "is `JFROG`, whose repositories have to be there: none is created";
        warnings.push(setting.warning("ignored-setting", what));
    }
    Ok(login)
}

/// What the variables say, without a section in the file.
fn from_outside(target: &Fields<'_>, said: &Account) -> Result<Option<(String, Secret)>> {
    let lacks = |key: &str, variable: &str| {
        let why = format!("has no `containers.auth.{key}`");
        let hint = format!("write it, or set `{REGISTRY}_{variable}` like the other one");
        target.itself().wrong(why).hint(hint)
    };
    match (&said.username, &said.password) {
        (Some(username), Some(password)) => {
            Ok(Some((username.clone(), Secret::new(password.clone()))))
        }
        (Some(_), None) => Err(lacks("password", "PASSWORD")),
        (None, Some(_)) => Err(lacks("username", "USERNAME")),
        (None, None) => Ok(None),
    }
}

/// The registry is the one of the images, whatever stands here.
fn check_registry(auth: &Fields<'_>, rules: &Rules, warnings: &mut Vec<Warning>) -> Result<()> {
    let Some((setting, text)) = auth.filled("registry")? else {
        return Ok(());
    };
    let written = text.split_once("://").map_or(text, |(_, rest)| rest);
    let host = written.split('/').next().unwrap_or(written);
    if let Some(base) = rules.rules.to()
        && base.host != host
    {
        let what = format!(
            "has no effect: the user is for `{}`, where the images go",
            base.host
        );
        warnings.push(setting.warning("ignored-setting", what));
    }
    Ok(())
}
