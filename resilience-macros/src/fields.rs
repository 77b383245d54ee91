//! `fields(a, b = expr, c = %expr, d = ?expr)`: what telemetry records of a call, written as in
//! `tracing`.

use proc_macro2::{Group, Ident};
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Expr, LitStr, Token};

use crate::ctxt::Ctxt;
use crate::grammar::inside;

/// One recorded value.
pub(crate) struct Field {
    pub(crate) name: LitStr,
    pub(crate) form: Form,
    pub(crate) value: Expr,
}

/// How a value becomes something that can be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it is.
    Value,
    /// `%`: by `Display`.
    Display,
    /// `?`: by `Debug`.
    Debug,
}

pub(crate) fn parse(group: &Group, ctxt: &Ctxt) -> Vec<Field> {
    let parser = Punctuated::<Field, Token![,]>::parse_terminated_with;
    let list = |input: ParseStream<'_>| parser(input, field);
    let mut fields: Vec<Field> = Vec::new();
    for field in ctxt.ok(inside(group, list)).into_iter().flatten() {
        let name = field.name.value();
        if fields.iter().any(|other| other.name.value() == name) {
            ctxt.error(&field.name, format!("the field `{name}` is written twice"));
        } else {
            fields.push(field);
        }
    }
    fields
}

fn field(input: ParseStream<'_>) -> syn::Result<Field> {
    let short = form(input)?;
    let (name, path) = name(input)?;
    if short != Form::Value || !input.peek(Token![=]) {
        let Some(value) = path else {
            return Err(syn::Error::new(
                name.span(),
                "a name in quotes needs a value: `\"a\" = b`",
            ));
        };
        return Ok(Field {
            name,
            form: short,
            value,
        });
    }
    input.parse::<Token![=]>()?;
    let form = form(input)?;
    let value = input.parse()?;
    Ok(Field { name, form, value })
}

fn form(input: ParseStream<'_>) -> syn::Result<Form> {
    if input.peek(Token![%]) {
        input.parse::<Token![%]>()?;
        Ok(Form::Display)
    } else if input.peek(Token![?]) {
        input.parse::<Token![?]>()?;
        Ok(Form::Debug)
    } else {
        Ok(Form::Value)
    }
}

/// `a`, `a.b` or `"a"`, and the expression that it is where no other is given.
fn name(input: ParseStream<'_>) -> syn::Result<(LitStr, Option<Expr>)> {
    if input.peek(LitStr) {
        return Ok((input.parse()?, None));
    }
    if !input.peek(Ident::peek_any) {
        return Err(input.error(
            "expected a field: `name`, `name = value`, `name = %value` or `name = ?value`",
        ));
    }
    let parts =
        Punctuated::<Ident, Token![.]>::parse_separated_nonempty_with(input, Ident::parse_any)?;
    let span = parts.span();
    let text: Vec<_> = parts.iter().map(|part| part.unraw().to_string()).collect();
    let value = syn::parse2(parts.to_token_stream()).ok();
    Ok((LitStr::new(&text.join("."), span), value))
}

#[cfg(test)]
mod tests {
    use proc_macro2::{Delimiter, TokenStream};
    use quote::quote;

    use super::*;

    fn list(tokens: TokenStream) -> Group {
        Group::new(Delimiter::Parenthesis, tokens)
    }

    #[test]
    fn fields_are_written_as_in_tracing() {
        let ctxt = Ctxt::new();
        let group = list(quote!(a, %b, c = 1 + 2, d.e = ?f(x), "g h" = %g, self.i));
        let fields = parse(&group, &ctxt);
        assert!(ctxt.is_empty());
        let seen: Vec<_> = fields.iter().map(|f| (f.name.value(), f.form)).collect();
        let expected = [
            ("a", Form::Value),
            ("b", Form::Display),
            ("c", Form::Value),
            ("d.e", Form::Debug),
            ("g h", Form::Display),
            ("self.i", Form::Value),
        ];
        assert_eq!(seen, expected.map(|(name, form)| (name.to_owned(), form)));
    }

    #[test]
    fn a_field_has_one_value() {
        let ctxt = Ctxt::new();
        parse(&list(quote!(a, a = 1)), &ctxt);
        assert_eq!(ctxt.messages(), ["the field `a` is written twice"]);
    }
}
