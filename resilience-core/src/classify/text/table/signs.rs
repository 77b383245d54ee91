//! Words that do not decide but say how to read the others.

/// A text that contains one of these calls itself an error.
pub(in crate::classify::text) const EVIDENCE: &[&str] = &[
    "error",
    "errors",
    "err",
    "errno",
    "failed",
    "failure",
    "failing",
    "fails",
    "fail",
    "exception",
    "fatal",
    "panic",
    "panicked",
    "traceback",
    "caused by",
    "cannot",
    "cant",
    "could not",
    "couldnt",
    "unable",
    "refused",
    "rejected",
    "denied",
    "aborted",
    "crashed",
    "unexpected",
    "uncaught",
    "problem",
    "wrong",
    "did not",
    "didnt",
    "critical",
    "exceeded",
    "exceeds",
    "exceed",
    "reached",
    "exhausted",
    "too many",
    "not enough",
    "no healthy",
    "not healthy",
    "insufficient",
    "over the limit",
];

/// Words of complaint: evidence of an error, unless the text reports a success.
pub(in crate::classify::text) const COMPLAINT: &[&str] = &[
    "invalid",
    "unknown",
    "unsupported",
    "unrecognized",
    "illegal",
    "malformed",
    "must",
    "doesnt",
    "does not",
    "incorrect",
    "incompatible",
    "ora",
    "tns",
];

/// Reports of success, of settings and of plans. Without evidence of an error such a text is no
/// failure, whatever it mentions.
pub(in crate::classify::text) const CALM: &[&str] = &[
    "successfully",
    "succeeded",
    "updated",
    "enabled",
    "processed",
    "saved",
    "set to",
    "recovered",
    "renewed",
    "completed in",
    "is now",
    "healthy",
    "restored",
    "rotated",
    "scheduled",
    "adjusted",
    "explained",
    "tutorial",
    "guide",
    "passed",
    "merged",
    "published",
    "has been sent",
    "improved",
    "supports",
    "tested",
    "measured",
    "fixed",
    "dashboard",
    "extended",
    "increased",
    "decreased",
    "raised to",
    "report",
    "diagram",
    "were removed",
    "were skipped",
    "was removed",
    "were ignored",
];

/// Evidence that is none.
pub(in crate::classify::text) const NO_ERROR: &[&str] = &[
    "no error",
    "no errors",
    "0 errors",
    "zero errors",
    "without error",
    "without errors",
    "0 failed",
    "0 failures",
    "no failures",
    "error handling",
    "error handler",
    "error message",
    "error messages",
    "error rate",
    "error page",
    "error log",
    "errors fixed",
    "error codes",
];

/// What follows is a guess about what stands before it.
pub(in crate::classify::text) const GUESS: &[&str] = &[
    "possibly",
    "perhaps",
    "probably",
    "maybe",
    "might be",
    "may be caused by",
    "could be caused by",
    "are you sure",
    "did you mean",
    "make sure",
    "check that",
    "please check",
    "check if",
    "perhaps you",
    "hint",
    "or it may",
    "or you may",
];

/// Says outright that another attempt is in vain.
pub(in crate::classify::text) const FINAL: &[&str] = &[
    "not retryable",
    "non retryable",
    "nonretryable",
    "do not retry",
    "dont retry",
    "will not retry",
    "unrecoverable",
    "not recoverable",
    // OpenAI, when one request alone is larger than a minute's allowance.
    "must be reduced",
];

/// With one of these a refusal for asking too much is about money or a plan, and not about the
/// pace of requests, unless the text speaks of seconds or minutes ([`PACE`]) or names the time to
/// wait.
// OpenAI, Google Cloud, GitHub, Weaviate, Hugging Face.
pub(in crate::classify::text) const ALLOWANCE: &[&str] = &[
    "quota",
    "quotas",
    "billing",
    "your plan",
    "current plan",
    "free plan",
    "free tier",
    "subscription",
    "credits",
    "credit limit",
    "per day",
    "daily",
    "per month",
    "monthly",
    "per week",
    "weekly",
];

/// Words of a limit that renews itself soon. Google Cloud writes "(e.g. check quota)" into every
/// refusal for pace, and asks to retry it (Vertex AI, "Error code 429").
pub(in crate::classify::text) const PACE: &[&str] = &[
    "e g check quota",
    // Octokit, of the hourly allowance of requests.
    "request quota exhausted",
    // Google: a reason that stands for the pace of one user, or for a day that ends at midnight.
    "user rate limit exceeded",
    "reason rate limit exceeded",
    "exceeded rate limits",
    "quota for rate",
    "daily limit",
    "daily request limit",
    "over daily",
    // A time to come back.
    "will be reset",
    "will reset",
    "resets at",
    "resets in",
    "until tomorrow",
    "at midnight",
    // Kafka and others: what is called so is about the pace.
    "throttling",
    "per minute",
    "per min",
    "per second",
    "per sec",
    "minute",
    "tpm",
    "rpm",
    "qps",
    "rps",
];

/// What the other side writes before the time that it asks to wait, with the unit that a bare
/// number has there.
pub(in crate::classify::text) const WAIT: &[(&str, Unit)] = &[
    ("retry after ms", Unit::Milliseconds),
    ("retry after millis", Unit::Milliseconds),
    ("retry after milliseconds", Unit::Milliseconds),
    ("retry after seconds", Unit::Seconds),
    ("retry after", Unit::Seconds),
    ("retry delay", Unit::Seconds),
    ("retry in", Unit::Seconds),
    ("retrying in", Unit::Seconds),
    ("try again in", Unit::Seconds),
    ("try again after", Unit::Seconds),
    ("again in about", Unit::Seconds),
    ("please wait", Unit::Seconds),
    ("wait for", Unit::Seconds),
    ("wait at least", Unit::Seconds),
    ("wait of", Unit::Seconds),
    ("available in", Unit::Seconds),
    ("flood wait", Unit::Seconds),
    ("often wait", Unit::Seconds),
    ("retryafter", Unit::Seconds),
];

/// What a bare number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::classify::text) enum Unit {
    /// As in `Retry-After` (RFC 9110, 10.2.3).
    Seconds,
    Milliseconds,
}
