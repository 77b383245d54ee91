//! The path of a site, from the type name of an item inside it.

/// `krate::module::Type::method`, from what `type_name` says of an item in the body.
///
/// An attribute on a method does not know its type, but the compiler spells it out for an item
/// inside: `<krate::Type as krate::Trait>::method::{{closure}}::item`. The end is cut off, and of a
/// trait impl only the type is kept.
pub(crate) fn site_path(raw: &str) -> String {
    let mut segments = segments(raw);
    // The item itself.
    segments.pop();
    let mut path = String::new();
    // The `async` block of the function; further ones are those of functions around it.
    for segment in segments
        .into_iter()
        .filter(|segment| !segment.starts_with('{'))
    {
        if !path.is_empty() {
            path.push_str("::");
        }
        match segment.strip_prefix('<') {
            Some(inside) => path.push_str(&site_type(inside)),
            None => path.push_str(without_parameters(segment)),
        }
    }
    path
}

/// `krate::Type` out of `krate::Type as krate::Trait>` and `krate::Type<_>>`. What is no path,
/// such as `[u8]`, stays as it is.
fn site_type(inside: &str) -> String {
    let inside = inside.strip_suffix('>').unwrap_or(inside);
    let name = &inside[..top_level(inside, " as ").unwrap_or(inside.len())];
    if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') || name.contains(' ') {
        return name.to_owned();
    }
    let segments = segments(name)
        .into_iter()
        .filter(|segment| !segment.starts_with('{'));
    let plain: Vec<_> = segments.map(without_parameters).collect();
    plain.join("::")
}

/// The parts between the `::` that are not inside brackets.
fn segments(path: &str) -> Vec<&str> {
    let mut segments = Vec::new();
    let mut rest = path;
    while let Some(end) = top_level(rest, "::") {
        segments.push(&rest[..end]);
        rest = &rest[end + 2..];
    }
    segments.push(rest);
    segments
}

/// Where `pattern` starts outside all brackets.
fn top_level(text: &str, pattern: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut arrow = false;
    for (at, c) in text.char_indices() {
        if depth == 0 && text[at..].starts_with(pattern) {
            return Some(at);
        }
        match c {
            '<' | '(' | '[' => depth += 1,
            // The `>` of `->` closes nothing.
            '>' if arrow => {}
            '>' | ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        arrow = c == '-';
    }
    None
}

/// `Type` out of `Type<_, _>`; the arguments of `Type<u8>` tell it from `Type<u16>`.
fn without_parameters(segment: &str) -> &str {
    match segment.split_once('<') {
        Some((name, arguments))
            if arguments
                .chars()
                .all(|c| matches!(c, '_' | ',' | ' ' | '>')) =>
        {
            name
        }
        _ => segment,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_and_the_trait_are_cut_off() {
        for (raw, path) in [
            ("k::f::{{closure}}::here", "k::f"),
            ("k::T::s::here", "k::T::s"),
            ("k::m::T::f::{{closure}}::here", "k::m::T::f"),
            ("k::m::T<_, _>::f::{{closure}}::here", "k::m::T::f"),
            ("k::m::T<u8>::f::{{closure}}::here", "k::m::T<u8>::f"),
            ("<k::T as k::Tr>::f::{{closure}}::here", "k::T::f"),
            (
                "<k::m::T<_> as k::Tr<k::X>>::f::{{closure}}::here",
                "k::m::T::f",
            ),
            (
                "<alloc::vec::Vec<k::T> as k::Tr>::f::here",
                "alloc::vec::Vec<k::T>::f",
            ),
            ("<&mut k::T as k::Tr>::f::here", "&mut k::T::f"),
            ("<[u8] as k::Tr>::f::here", "[u8]::f"),
            ("<fn(u8) -> k::T as k::Tr>::f::here", "fn(u8) -> k::T::f"),
            (
                "<dyn core::fmt::Debug as k::Tr>::f::here",
                "dyn core::fmt::Debug::f",
            ),
            (
                "k::outer::{{closure}}::inner::{{closure}}::here",
                "k::outer::inner",
            ),
            (
                "<k::g::{{closure}}::Loc as k::Tr>::f::{{closure}}::here",
                "k::g::Loc::f",
            ),
        ] {
            assert_eq!(site_path(raw), path, "{raw}");
        }
    }
}
