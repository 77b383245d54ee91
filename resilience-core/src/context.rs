//! What a task is about: whose session, which agent, which file.

use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use pin_project_lite::pin_project;

use crate::fields::{FieldValue, Fields, short};
use crate::scope;

/// Says what a task is about: its session, agent, user, the file and line that it works on, and
/// anything else.
///
/// It is set for a future, and every call of an annotated function inside inherits it: it is part of
/// their events, spans and recent errors. A context inside another adds to it, and what both say is
/// the inner one's. A spawned task starts without one; [`propagate`](crate::propagate) takes it
/// along.
///
/// Texts are cut after 256 bytes, and there are at most 16 metadata; the oldest go first.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use resilience_core::Context;
///
/// let answer = Context::new()
///     .session_id("s-81")
///     .agent("research")
///     .with("model", "large")
///     .scope(async {
///         assert_eq!(Context::current().agent.as_deref(), Some("research"));
///         42
///     })
///     .await;
/// assert_eq!(answer, 42);
/// # }
/// ```
#[derive(Clone, Default, PartialEq)]
#[must_use]
pub struct Context(Option<Arc<ContextData>>);

/// What a [`Context`] says.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ContextData {
    /// The session, or request, or run.
    pub session_id: Option<String>,
    /// The part of the program that acts.
    pub agent: Option<String>,
    /// For whom. Goes to logs and spans, never to metrics.
    pub user_id: Option<String>,
    /// The file that is being worked on.
    pub file: Option<String>,
    /// The line of that file, or of the input.
    pub line: Option<u64>,
    /// Anything else.
    pub metadata: Fields,
}

impl Context {
    /// One that says nothing.
    pub const fn new() -> Self {
        Self(None)
    }

    /// What holds here and now.
    pub fn current() -> Self {
        scope::context()
    }

    /// Sets the session, or request, or run.
    pub fn session_id(mut self, id: impl Into<String>) -> Self {
        self.data().session_id = Some(short(id.into()));
        self
    }

    /// Sets the part of the program that acts.
    pub fn agent(mut self, name: impl Into<String>) -> Self {
        self.data().agent = Some(short(name.into()));
        self
    }

    /// Sets for whom. It goes to logs and spans of the calls inside, and to nothing else.
    pub fn user_id(mut self, id: impl Into<String>) -> Self {
        self.data().user_id = Some(short(id.into()));
        self
    }

    /// Sets the file that is being worked on.
    pub fn file(mut self, path: impl Into<String>) -> Self {
        self.data().file = Some(short(path.into()));
        self
    }

    /// Sets the line of that file, or of the input.
    pub fn line(mut self, line: u64) -> Self {
        self.data().line = Some(line);
        self
    }

    /// Adds anything else. The name is the program's own: what users bring belongs into the value.
    pub fn with(mut self, name: &'static str, value: impl Into<FieldValue>) -> Self {
        let value = match value.into() {
            FieldValue::Text(text) => FieldValue::Text(short(text)),
            other => other,
        };
        self.data().metadata.set(name, value, MOST_METADATA);
        self
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Runs a future inside this context.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the future, inside the context still: the events of calls that this cancels
    /// are told with it.
    pub fn scope<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        InContext {
            future: Some(future),
            context: self,
            inherits: true,
        }
    }

    /// What this says, and what `outer` says beside it.
    fn within(self, outer: &Self) -> Self {
        let (Some(inner), Some(outer)) = (&self.0, &outer.0) else {
            return if self.is_empty() { outer.clone() } else { self };
        };
        let or = |inner: &Option<String>, outer: &Option<String>| {
            inner.as_ref().or(outer.as_ref()).cloned()
        };
        let mut metadata = outer.metadata.clone();
        for (name, value) in inner.metadata.iter() {
            metadata.set(name, value.clone(), MOST_METADATA);
        }
        Self(Some(Arc::new(ContextData {
            session_id: or(&inner.session_id, &outer.session_id),
            agent: or(&inner.agent, &outer.agent),
            user_id: or(&inner.user_id, &outer.user_id),
            file: or(&inner.file, &outer.file),
            // A line is one of its file.
            line: if inner.file.is_some() {
                inner.line
            } else {
                inner.line.or(outer.line)
            },
            metadata,
        })))
    }

    /// Puts it in the scope for the time of one poll, or of the end, also if that panics.
    pub(crate) fn enter(&mut self) -> Inside<'_> {
        scope::swap_context(self);
        Inside(self)
    }

    fn data(&mut self) -> &mut ContextData {
        Arc::make_mut(self.0.get_or_insert_default())
    }
}

impl Deref for Context {
    type Target = ContextData;

    fn deref(&self) -> &ContextData {
        static NOTHING: ContextData = ContextData {
            session_id: None,
            agent: None,
            user_id: None,
            file: None,
            line: None,
            metadata: Fields::new(),
        };
        self.0.as_deref().unwrap_or(&NOTHING)
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Context({self})")
    }
}

/// `name=value` pairs with spaces between them, of what is set.
impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = Fields::new();
        for (name, value) in [
            ("session", &self.session_id),
            ("agent", &self.agent),
            ("user", &self.user_id),
            ("file", &self.file),
        ] {
            if let Some(value) = value {
                fields = fields.add(name, value);
            }
        }
        if let Some(line) = self.line {
            fields = fields.add("line", line);
        }
        for (name, value) in self.metadata.iter() {
            fields = fields.add(name, value.clone());
        }
        fields.fmt(f)
    }
}

pin_project! {
    struct InContext<F> {
        #[pin]
        future: Option<F>,
        context: Context,
        // The first poll takes over what holds around it.
        inherits: bool,
    }

    impl<F> PinnedDrop for InContext<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _inside = this.context.enter();
            this.future.set(None);
        }
    }
}

impl<F: Future> Future for InContext<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        if std::mem::take(this.inherits) {
            *this.context = std::mem::take(this.context).within(&scope::context());
        }
        let _inside = this.context.enter();
        match this.future.as_mut().as_pin_mut() {
            Some(future) => future.poll(cx),
            None => Poll::Pending,
        }
    }
}

/// A context is what holds, until this is dropped.
pub(crate) struct Inside<'a>(&'a mut Context);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        scope::swap_context(self.0);
    }
}

const MOST_METADATA: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inner_context_adds_to_the_outer_one() {
        let outer = Context::new()
            .session_id("s")
            .agent("a")
            .file("f")
            .line(3)
            .with("k", 1);
        let inner = Context::new()
            .agent("b")
            .file("g")
            .with("k", 2)
            .with("l", true);
        assert_eq!(
            inner.within(&outer).to_string(),
            "session=\"s\" agent=\"b\" file=\"g\" k=2 l=true"
        );
    }

    #[test]
    fn it_is_bounded() {
        const NAMES: [&str; 20] = [
            "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q",
            "r", "s", "t",
        ];
        let long = "é".repeat(10_000);
        let context = NAMES
            .iter()
            .fold(Context::new().session_id(&*long), |context, name| {
                context.with(name, &*long)
            });
        assert_eq!(context.metadata.iter().count(), 16);
        assert!(context.metadata.get("d").is_none() && context.metadata.get("t").is_some());
        assert!(context.to_string().len() < 18 * 300);
    }
}
