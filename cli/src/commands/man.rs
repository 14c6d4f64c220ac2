//! `fusion man`: one manual page with the options of every verb.

use std::io;

use clap::CommandFactory;
use clap_mangen::Man;

use crate::args::Cli;
use crate::console::Console;

/// Prints the manual page.
pub(crate) fn run(console: &mut Console<'_>) -> u8 {
    // Writing into memory does not fail.
    let page = page().unwrap_or_default();
    super::print(&String::from_utf8_lossy(&page), console)
}

/// The page in roff.
fn page() -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let main = Man::new(command.clone());
    main.render_title(&mut page)?;
    main.render_name_section(&mut page)?;
    main.render_synopsis_section(&mut page)?;
    main.render_description_section(&mut page)?;
    main.render_options_section(&mut page)?;
    for verb in verbs(&command) {
        page.extend(section(verb)?);
    }
    let mut examples = Vec::new();
    main.render_extra_section(&mut examples)?;
    page.extend(retitle(&examples, "EXAMPLES AND EXIT STATUS"));
    main.render_version_section(&mut page)?;
    Ok(page)
}

/// The verbs that do something: `index create`, not `index`.
pub(crate) fn verbs(command: &clap::Command) -> Vec<&clap::Command> {
    let below = command.get_subcommands();
    below
        .filter(|verb| verb.get_name() != "help")
        .flat_map(|verb| match verb.has_subcommands() {
            true => verbs(verb),
            false => vec![verb],
        })
        .collect()
}

/// The section of one verb: its sections, one level down.
fn section(verb: &clap::Command) -> io::Result<Vec<u8>> {
    let man = Man::new(verb.clone());
    let mut body = Vec::new();
    man.render_synopsis_section(&mut body)?;
    man.render_description_section(&mut body)?;
    man.render_options_section(&mut body)?;
    if verb.get_after_help().is_some() {
        let mut extra = Vec::new();
        man.render_extra_section(&mut extra)?;
        body.extend(retitle(&extra, "EXAMPLES"));
    }
    let title = verb.get_bin_name().unwrap_or(verb.get_name());
    let mut section = format!(".SH \"{}\"\n", title.to_uppercase()).into_bytes();
    for line in String::from_utf8_lossy(&body).lines() {
        let line = match line.strip_prefix(".SH ") {
            Some(rest) => format!(".SS {rest}"),
            None => line.to_owned(),
        };
        section.extend(line.into_bytes());
        section.push(b'\n');
    }
    Ok(section)
}

/// The same text, its lines kept as they are, under another title.
fn retitle(extra: &[u8], title: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(extra);
    let body: Vec<_> = text.lines().filter(|line| *line != ".SH EXTRA").collect();
    format!(".SH \"{title}\"\n.nf\n{}\n.fi\n", body.join("\n")).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_verb_and_its_options() {
        let page = String::from_utf8(page().expect("in memory")).expect("text");
        for part in [
            ".SH \"FUSION FUSE\"",
            ".SH \"FUSION PUSH\"",
            ".SH \"FUSION SYNC\"",
            ".SH \"FUSION IMPORT-ADDON\"",
            ".SH \"FUSION INDEX CREATE\"",
            ".SH \"FUSION VERIFY\"",
            "create\\-projects",
            "on\\-conflict",
            "Exit status",
        ] {
            assert!(page.contains(part), "{part} is missing in:\n{page}");
        }
    }
}
