//! What a rule is made of.

use crate::{Category, Classification, Effect, Fault, Retry, Severity};

/// Phrases that mean one thing.
///
/// Phrases are written in lower case with single spaces; they find the same words however they
/// are written in a text (see `normal`).
pub(super) struct Rule {
    /// What happened, for [`Classification::reason`].
    pub(super) name: &'static str,
    pub(super) rank: Rank,
    pub(super) verdict: Verdict,
    pub(super) phrases: &'static [&'static str],
}

/// How much a finding says. The highest decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// A thing that such failures are about. Counts in a text that calls itself an error and says
    /// nothing else; whether another attempt helps it does not tell.
    Subject,
    /// A word of daily language. Counts where the text calls itself an error, or where the word
    /// stands alone between punctuation or is an identifier such as `NotFound`; there it says more
    /// than [`Loose`](Self::Loose).
    Word,
    /// A status that says little: 400, 500, INTERNAL. Any words beside it say more.
    Vague,
    /// A subject and an event near each other.
    Loose,
    /// Words that hardly occur but in this failure.
    Phrase,
    /// A code or an exact message.
    Code,
    /// A thing named that is no failure by itself, such as a rate limit. In a text that calls
    /// itself an error it is nearly as good as [`Decisive`](Self::Decisive), elsewhere it is
    /// nothing.
    Topic,
    /// A cause that comes wrapped in codes which say less or something else.
    Decisive,
    /// What makes even a throttling final: a used-up quota.
    Final,
}

/// The answers of a classification, apart from its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::classify) struct Verdict {
    category: Category,
    retry: Retry,
    fault: Fault,
    effect: Effect,
    severity: Option<Severity>,
}

impl Verdict {
    /// As the category implies.
    pub(in crate::classify) const fn of(category: Category) -> Self {
        Self {
            category,
            retry: Retry::of(category),
            fault: Fault::of(category),
            effect: Effect::Possible,
            severity: None,
        }
    }

    pub(in crate::classify) const fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    pub(in crate::classify) const fn fault(mut self, fault: Fault) -> Self {
        self.fault = fault;
        self
    }

    pub(in crate::classify) const fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// Whether the same request is welcome a little later.
    pub(in crate::classify::text) const fn is_for_pace(self) -> bool {
        matches!(self.category, Category::RATE_LIMIT) && matches!(self.retry, Retry::Yes)
    }

    /// The request surely was not processed.
    pub(in crate::classify) const fn unprocessed(mut self) -> Self {
        self.effect = Effect::None;
        self
    }

    pub(in crate::classify) fn because(self, reason: &'static str) -> Classification {
        let classification = Classification::new(self.category)
            .with_retry(self.retry)
            .with_fault(self.fault)
            .with_effect(self.effect)
            .with_reason(reason);
        match self.severity {
            Some(severity) => classification.with_severity(severity),
            None => classification,
        }
    }
}

/// The verdicts that the tables use, by what they mean for the caller.
pub(in crate::classify) mod verdict {
    pub(in crate::classify) use super::Verdict;
    use super::{Category, Fault, Retry, Severity};

    /// The connection broke; the request may have arrived.
    pub(in crate::classify) const NETWORK: Verdict = Verdict::of(Category::NETWORK);
    /// No connection came about.
    pub(in crate::classify) const UNREACHED: Verdict = NETWORK.unprocessed();
    /// Something went wrong on the way, or before it.
    pub(in crate::classify) const NETWORK_UNSURE: Verdict = NETWORK.retry(Retry::Unsure);
    /// The two ends will not agree: certificates, protocol versions.
    pub(in crate::classify) const NETWORK_FINAL: Verdict = UNREACHED.retry(Retry::No);
    /// This machine's own socket setup is wrong.
    pub(in crate::classify) const SOCKET: Verdict = NETWORK_FINAL.fault(Fault::Local);

    pub(in crate::classify) const TIMEOUT: Verdict = Verdict::of(Category::TIMEOUT);

    /// The other side failed while it worked.
    pub(in crate::classify) const SERVICE: Verdict = Verdict::of(Category::SERVICE);
    /// The other side did not begin.
    pub(in crate::classify) const SERVICE_BUSY: Verdict = SERVICE.unprocessed();
    /// The other side failed, and whether for good it does not say.
    pub(in crate::classify) const SERVICE_UNSURE: Verdict = SERVICE.retry(Retry::Unsure);
    /// The other side will not get better by itself.
    pub(in crate::classify) const SERVICE_FINAL: Verdict = SERVICE.retry(Retry::No);

    /// Too much at a time; what was begun may have stopped half-way.
    pub(in crate::classify) const LIMITED: Verdict = Verdict::of(Category::RATE_LIMIT);
    /// Too much asked for, of something that may or may not renew itself.
    pub(in crate::classify) const LIMITED_UNSURE: Verdict = LIMITED.retry(Retry::Unsure);
    /// Turned away at the door.
    pub(in crate::classify) const THROTTLED: Verdict = LIMITED.unprocessed();
    /// Waiting a moment does not help: somebody must pay or raise a limit.
    pub(in crate::classify) const QUOTA: Verdict =
        THROTTLED.retry(Retry::No).severity(Severity::High);

    /// A disk that is full, broken or read-only.
    pub(in crate::classify) const DISK: Verdict =
        Verdict::of(Category::FILESYSTEM).retry(Retry::No);
    /// Held by somebody else for the moment.
    pub(in crate::classify) const FILE_BUSY: Verdict = Verdict::of(Category::FILESYSTEM);
    /// The caller named something that is not there.
    pub(in crate::classify) const FILE_MISSING: Verdict =
        DISK.fault(Fault::Caller).severity(Severity::Low);
    /// The caller may not, or asks for what this path cannot do.
    pub(in crate::classify) const FILE_REFUSED: Verdict = DISK.fault(Fault::Caller);

    pub(in crate::classify) const MEMORY: Verdict = Verdict::of(Category::MEMORY);
    pub(in crate::classify) const ENCODING: Verdict = Verdict::of(Category::ENCODING);
    pub(in crate::classify) const VALIDATION: Verdict = Verdict::of(Category::VALIDATION);
    pub(in crate::classify) const AUTH: Verdict = Verdict::of(Category::AUTH);
    pub(in crate::classify) const NOT_FOUND: Verdict = Verdict::of(Category::NOT_FOUND);
    pub(in crate::classify) const CANCELLED: Verdict = Verdict::of(Category::CANCELLED);

    /// It is there already, or in another version.
    pub(in crate::classify) const CONFLICT: Verdict = Verdict::of(Category::CONFLICT);
    /// Two transactions met; the same one again goes through. Nobody's fault, and no sign of a
    /// sick service.
    pub(in crate::classify) const COLLISION: Verdict = CONFLICT.retry(Retry::Yes);

    pub(in crate::classify) const AUTH_UNSURE: Verdict = AUTH.retry(Retry::Unsure);
    pub(in crate::classify) const VALIDATION_UNSURE: Verdict = VALIDATION.retry(Retry::Unsure);
    pub(in crate::classify) const FILE_UNSURE: Verdict = DISK.retry(Retry::Unsure);
    pub(in crate::classify) const MEMORY_UNSURE: Verdict = MEMORY.retry(Retry::Unsure);
    pub(in crate::classify) const CONFLICT_UNSURE: Verdict = CONFLICT.retry(Retry::Unsure);
    pub(in crate::classify) const ENCODING_UNSURE: Verdict = ENCODING.retry(Retry::Unsure);

    /// A mistake in a program: which dependency, if any, nobody can tell.
    pub(in crate::classify) const UNKNOWN: Verdict = Verdict::of(Category::UNKNOWN);
}
