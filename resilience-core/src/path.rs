pub fn site_path(raw: &str) -> String {
    raw.to_owned()
}
