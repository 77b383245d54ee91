//! Which value holds, for every combination of places where one is written.

use resilience::{Error, Level, Runtime, Settings, resilient};

#[resilient(operation = "bare", service = "bare")]
async fn bare() -> Result<(), Error> {
    Ok(())
}

#[resilient(
    operation = "said",
    service = "said",
    retries = 11,
    deadline = "11s",
    bulkhead(concurrency = 11)
)]
async fn said() -> Result<(), Error> {
    Ok(())
}

#[resilient(operation = "profiled", service = "llm_provider")]
async fn profiled() -> Result<(), Error> {
    Ok(())
}

#[resilient(
    operation = "both",
    service = "agent_communication",
    retries = 11,
    deadline = "11s",
    bulkhead(concurrency = 11)
)]
async fn both() -> Result<(), Error> {
    Ok(())
}

/// The retries and the deadline that ship for a service.
type Profile = Option<(&'static str, &'static str)>;

/// A site, its service, whether its attribute says something, and what a profile says.
const SITES: [(&str, &str, bool, Profile); 4] = [
    ("bare", "bare", false, None),
    ("said", "said", true, None),
    ("profiled", "llm_provider", false, Some(("3", "30s"))),
    ("both", "agent_communication", true, Some(("2", "5s"))),
];

/// The value of a key at a site, and its level; of retries, for errors of the network.
fn found(text: &str, operation: &str, key: &str) -> Option<(String, Level)> {
    let loader = Settings::loader().text("test.toml", text);
    let settings = loader.variables::<String, String>([]).load();
    let settings = settings.unwrap_or_else(|problems| panic!("{text}: {problems}"));
    let inspection = Runtime::builder().settings(settings).build().inspect();
    let mut sites = inspection.sites.into_iter();
    let site = sites.find(|site| site.operation == operation).unwrap();
    let mut settings = site.settings.into_iter();
    let setting = settings.find(|setting| {
        setting.key == key && matches!(setting.category.as_deref(), None | Some("network"))
    })?;
    Some((setting.value, setting.origin.level))
}

/// Looks at a key at every site with every combination of `tables`, each with the level that it is,
/// its header (`{site}` and `{service}` stand for names) and the value in it. `otherwise` has what
/// holds where none of them says anything.
fn check(
    key: &str,
    attribute: &str,
    tables: &[(Level, &str, &str)],
    otherwise: impl Fn(Profile) -> Option<(String, Level)>,
) {
    for (operation, service, says, profile) in SITES {
        for chosen in 0..1_u32 << tables.len() {
            let mut text = String::new();
            let mut candidates = Vec::new();
            for (i, (level, header, value)) in tables.iter().enumerate() {
                if chosen & (1 << i) != 0 {
                    let header = header.replace("SITE", operation);
                    let header = header.replace("SERVICE", service);
                    text = format!("[{header}]\n{key} = {value}\n{text}");
                    candidates.push((value.trim_matches('"').to_owned(), *level));
                }
            }
            if says {
                candidates.push((attribute.to_owned(), Level::Attribute));
            }
            // The order of `Level` is that in which they hold.
            candidates.sort_by_key(|(_, level)| *level);
            let expected = candidates.into_iter().next().or_else(|| otherwise(profile));
            let found = found(&text, operation, key);
            assert_eq!(found, expected, "{key} of {operation} with\n{text}");
        }
    }
}

#[test]
fn retries() {
    let tables = [
        (Level::Sites, "sites.SITE", "21"),
        (Level::Services, "services.SERVICE", "22"),
        (Level::Categories, "categories.network", "23"),
        (Level::Defaults, "defaults", "24"),
    ];
    check("retries", "11", &tables, |profile| {
        Some(match profile {
            Some((retries, _)) => (retries.to_owned(), Level::Profile),
            None => ("4".to_owned(), Level::Table),
        })
    });
}

#[test]
fn what_is_the_sites() {
    let tables = [
        (Level::Sites, "sites.SITE", "\"21s\""),
        (Level::Services, "services.SERVICE", "\"22s\""),
        (Level::Defaults, "defaults", "\"24s\""),
    ];
    check("deadline", "11s", &tables, |profile| {
        Some(match profile {
            Some((_, deadline)) => (deadline.to_owned(), Level::Profile),
            None => ("off".to_owned(), Level::Library),
        })
    });
}

#[test]
fn what_is_the_services() {
    let tables = [
        (Level::Services, "services.SERVICE", "22"),
        (Level::Defaults, "defaults", "24"),
    ];
    // Off, it has no number.
    check("bulkhead.concurrency", "11", &tables, |_| None);
}

#[test]
fn a_variable_beats_the_file_and_the_more_exact_way_to_write_one_the_other() {
    let ways = [
        (None, "6"),
        (Some(("APP_MAX_RETRY_ATTEMPTS", "8")), "7"),
        (Some(("RESILIENCE__DEFAULTS__RETRIES", "8")), "8"),
        (Some(("RESILIENCE_SET", "defaults.retries = 9")), "9"),
    ];
    for chosen in 0..8_u32 {
        let chosen = (1..4).filter(|way| chosen & (1 << (way - 1)) != 0);
        let chosen: Vec<_> = std::iter::once(0)
            .chain(chosen)
            .map(|way| ways[way])
            .collect();
        let variables = chosen.iter().filter_map(|(variable, _)| *variable);
        let settings = Settings::loader()
            .text("test.toml", "[defaults]\nretries = 6\n")
            .variables(variables)
            .prefix("APP_")
            .env()
            .load();
        let inspection = Runtime::builder()
            .settings(settings.unwrap())
            .build()
            .inspect();
        let site = inspection
            .sites
            .iter()
            .find(|site| site.operation == "bare");
        let mut settings = site.unwrap().settings.iter();
        let retries = settings.find(|setting| setting.key == "retries").unwrap();
        let (variable, expected) = chosen[chosen.len() - 1];
        assert_eq!(retries.value, expected, "{chosen:?}");
        assert_eq!(retries.origin.level, Level::Defaults, "it keeps its level");
        let place = variable.map_or("test.toml:2", |(name, _)| name);
        assert_eq!(retries.origin.source.to_string(), place);
    }
}

#[allow(dead_code, reason = "they are looked at through their settings")]
async fn all() -> Result<(), Error> {
    bare().await?;
    said().await?;
    profiled().await?;
    both().await
}
