//! Writes the impl.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{DeriveInput, Expr, Field, Fields, Lit, LitStr, Member, Path, Type};

use super::attr::{After, Retryable, Says, Severity};
use crate::expand::private_of;
use crate::grammar::peel;
use crate::inputs;

/// One variant, or the struct.
pub(crate) struct Arm<'a> {
    pub(crate) variant: Option<&'a Ident>,
    pub(crate) fields: &'a Fields,
    pub(crate) says: Says,
}

/// ```text
/// impl Classify for E {
///     fn classify(&self) -> Classification {
///         match self {
///             Self::Busy { after } => retry_after(Classification::new(..), *after)
///                 .with_error_type("E::Busy"),
///             ..
///         }
///     }
///     fn user_message(&self) -> Option<String> { .. }
/// }
/// ```
pub(crate) fn implementation(
    input: &DeriveInput,
    arms: &[Arm<'_>],
    krate: Option<&Path>,
) -> TokenStream {
    let private = private_of(krate);
    let classify = arms.iter().map(|arm| arm.classify(&input.ident, &private));
    let user = arms.iter().map(|arm| arm.user(&private));
    let (name, (generics, arguments, bounds)) = (&input.ident, input.generics.split_for_impl());
    let subject = if arms.is_empty() {
        quote!(*self)
    } else {
        quote!(self)
    };
    let register = input
        .generics
        .params
        .is_empty()
        .then(|| register(name, &private));
    quote! {
        #[automatically_derived]
        #[allow(deprecated, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
        impl #generics #private::Classify for #name #arguments #bounds {
            fn classify(&self) -> #private::Classification {
                match #subject { #(#classify)* }
            }

            fn user_message(&self) -> ::core::option::Option<::std::string::String> {
                match #subject { #(#user)* }
            }
        }

        #register
    }
}

/// Makes the type known, so that it is found behind a `dyn Error`; if it is an error at all.
fn register(name: &Ident, private: &TokenStream) -> TokenStream {
    quote_spanned! {Span::mixed_site()=>
        const _: () = {
            #private::inventory::submit! {
                #private::Registration::by(|error| {
                    #private::Finder::<#name>::new().__resilience_find(error)
                })
            }
        };
    }
}

/// An impl that says nothing, for a type whose attributes are wrong.
pub(crate) fn dummy(input: &DeriveInput, krate: Option<&Path>) -> TokenStream {
    let private = private_of(krate);
    let (name, (generics, arguments, bounds)) = (&input.ident, input.generics.split_for_impl());
    quote! {
        #[automatically_derived]
        impl #generics #private::Classify for #name #arguments #bounds {
            fn classify(&self) -> #private::Classification {
                #private::Classification::unknown()
            }
        }
    }
}

impl Arm<'_> {
    /// `Self::Busy { after: after, .. }`, every field bound by a reference.
    fn pattern(&self) -> TokenStream {
        let path = self
            .variant
            .map_or_else(|| quote!(Self), |variant| quote!(Self::#variant));
        let fields = self.fields.members().map(|member| match &member {
            Member::Named(name) => quote!(#name),
            Member::Unnamed(index) => {
                let binding = binding(&member);
                quote!(#index: #binding)
            }
        });
        quote!(#path { #(#fields),* })
    }

    fn classify(&self, name: &Ident, private: &TokenStream) -> TokenStream {
        let pattern = self.pattern();
        let says = &self.says;
        let error_type = match self.variant {
            Some(variant) => format!("{name}::{variant}"),
            None => name.to_string(),
        };
        let inner = match (&says.transparent, &says.category) {
            (Some(_), _) => self.fields.members().next(),
            (None, None) => self.source(),
            (None, Some(_)) => None,
        };
        let unknown = quote!(#private::Classification::unknown().with_error_type(#error_type));
        let mut value = match (inner, &says.category) {
            (Some(member), _) => self.ask(&member, &quote!(classify), &unknown, private),
            (None, Some(category)) => {
                let category = category.tokens(private);
                quote!(#private::Classification::new(#category).with_error_type(#error_type))
            }
            (None, None) => unknown,
        };
        if let Some(severity) = &says.severity {
            let severity = match severity {
                Severity::Named(name, span) => {
                    let mut variant = name.to_string();
                    variant[..1].make_ascii_uppercase();
                    let variant = Ident::new(&variant, *span);
                    quote_spanned!(*span=> #private::Severity::#variant)
                }
                Severity::Expr(expr) => expr.to_token_stream(),
            };
            value = quote!(#value.with_severity(#severity));
        }
        if let Some(Retryable { value: yes, .. }) = &says.retryable {
            let yes = yes
                .as_ref()
                .map_or_else(|| quote!(true), |yes| quote!(#yes));
            value = quote! {
                #value.with_retry(if #yes { #private::Retry::Yes } else { #private::Retry::No })
            };
        }
        if let Some(after) = &says.retry_after {
            // The bound is on the second argument, and spanned at it.
            let after = match after {
                After::Field(name) => {
                    let field = self.find(name).map(|mut field| {
                        let span = name.span().resolved_at(field.span());
                        field.set_span(span);
                        quote_spanned!(span=> *#field)
                    });
                    field.unwrap_or_else(|| quote!(#name))
                }
                After::Time(time) => quote!(#time),
            };
            value = quote!(#private::retry_after(#value, #after));
        }
        quote!(#pattern => #value,)
    }

    fn user(&self, private: &TokenStream) -> TokenStream {
        let pattern = self.pattern();
        let says = &self.says;
        let none = quote!(::core::option::Option::None);
        let value = match (&says.user, &says.transparent) {
            (Some(user), _) => {
                let text = self.text(user);
                quote!(::core::option::Option::Some(#text))
            }
            // `transparent` has one field, or is reported.
            (None, Some(_)) => self
                .fields
                .members()
                .map(|member| self.ask(&member, &quote!(user), &none, private))
                .collect(),
            (None, None) => none,
        };
        quote!(#pattern => #value,)
    }

    /// The field that is where the failure comes from: with thiserror's `#[from]` or `#[source]`,
    /// or called `source`.
    fn source(&self) -> Option<Member> {
        let marked = |field: &Field| {
            let attrs = &field.attrs;
            attrs
                .iter()
                .any(|attr| attr.path().is_ident("from") || attr.path().is_ident("source"))
                || field.ident.as_ref().is_some_and(|name| name == "source")
        };
        let index = self.fields.iter().position(marked)?;
        self.fields.members().nth(index)
    }

    /// The variable of the field of this name.
    fn find(&self, name: &Ident) -> Option<Ident> {
        let mut bindings = self.fields.members().map(|member| binding(&member));
        bindings.find(|binding| binding == name)
    }

    /// What the type of a field says, by what it implements; of an `Option`, the type inside, and
    /// `none` without a value.
    fn ask(
        &self,
        member: &Member,
        question: &TokenStream,
        none: &TokenStream,
        private: &TokenStream,
    ) -> TokenStream {
        let field = binding(member);
        let ask = |value: &Ident| {
            quote! {{
                let __resilience_ask = #private::probe_at(#value).__resilience_look().#question;
                __resilience_ask(#value)
            }}
        };
        let mut members = self.fields.iter().zip(self.fields.members());
        if !members.any(|(field, other)| other == *member && is_option(&field.ty)) {
            return ask(&field);
        }
        let inside = format_ident!("__resilience_source");
        let answer = ask(&inside);
        quote! {
            match #field {
                ::core::option::Option::Some(#inside) => #answer,
                ::core::option::Option::None => #none,
            }
        }
    }

    /// The text for people: a format string over the fields, or any expression for a text.
    fn text(&self, user: &Expr) -> TokenStream {
        if let Some(text) = literal(user) {
            let (format, names) = by_name(&text.value());
            let format = LitStr::new(&format, text.span());
            let bindings = self.fields.members().map(|member| binding(&member));
            let arguments = bindings
                .filter(|binding| names.contains(&binding.unraw().to_string()))
                .map(|binding| quote!(#binding = #binding));
            return quote!(::std::format!(#format #(, #arguments)*));
        }
        quote_spanned!(user.span()=> ::std::string::String::from(#user))
    }
}

/// The text that an expression is, if it is written out.
pub(crate) fn literal(expr: &Expr) -> Option<&LitStr> {
    match peel(expr) {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Str(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

fn is_option(ty: &Type) -> bool {
    let Type::Path(path) = inputs::peel(ty) else {
        return false;
    };
    let last = path.path.segments.last();
    last.is_some_and(|last| last.ident == "Option" && !last.arguments.is_none())
}

/// The variable that holds a reference to the field.
pub(crate) fn binding(member: &Member) -> Ident {
    match member {
        Member::Named(name) => name.clone(),
        Member::Unnamed(index) => format_ident!("_{}", index.index),
    }
}

/// The format string in which `{0}`, the first field of a tuple, is `{_0}`, and the names in it.
pub(crate) fn by_name(text: &str) -> (String, Vec<String>) {
    let (mut out, mut names) = (String::with_capacity(text.len()), Vec::new());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        out.push('{');
        if let Some(after) = after.strip_prefix('{') {
            out.push('{');
            rest = after;
            continue;
        }
        let end = after.find(|c: char| !c.is_alphanumeric() && c != '_');
        let (name, after) = after.split_at(end.unwrap_or(after.len()));
        let name = match name.parse::<usize>() {
            Ok(index) => format!("_{index}"),
            Err(_) => name.to_owned(),
        };
        out.push_str(&name);
        names.push(name);
        rest = after;
    }
    out.push_str(rest);
    (out, names)
}

#[cfg(test)]
mod tests {
    use super::by_name;

    #[test]
    fn numbers_in_braces_name_fields() {
        let (text, names) = by_name("{0}: {{1}} {name} {12:?} {");
        assert_eq!(text, "{_0}: {{1}} {name} {_12:?} {");
        assert_eq!(names, ["_0", "name", "_12", ""]);
    }
}
