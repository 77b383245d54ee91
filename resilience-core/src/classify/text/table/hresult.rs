//! Windows' 32-bit results: what COM, .NET and `WinINet` print of a failed call.
//!
//! Source: winerror.h and wininet.h; `0x8007` is followed by the number of an error of Windows, and
//! `0x80072e` to `0x80072f` by one of `WinINet` or `WinHTTP`.

use crate::classify::text::rule::{Rank, Rule, verdict};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "Windows: no such file",
        rank: Rank::Code,
        verdict: verdict::FILE_MISSING,
        phrases: &["0x80070002", "0x80070003"],
    },
    Rule {
        name: "Windows: file refused",
        rank: Rank::Code,
        verdict: verdict::FILE_REFUSED,
        phrases: &["0x80070005", "e accessdenied", "0x80070522", "0x800702e4"],
    },
    Rule {
        name: "Windows: file in use",
        rank: Rank::Code,
        verdict: verdict::FILE_BUSY,
        phrases: &["0x80070020", "0x80070021"],
    },
    Rule {
        name: "Windows: disk",
        rank: Rank::Code,
        verdict: verdict::DISK,
        phrases: &["0x80070070", "0x8007045d", "0x80070017"],
    },
    Rule {
        name: "Windows: out of memory",
        rank: Rank::Code,
        verdict: verdict::MEMORY,
        phrases: &["0x8007000e", "e outofmemory", "0x800705af"],
    },
    Rule {
        name: "Windows: bad argument",
        rank: Rank::Code,
        verdict: verdict::VALIDATION,
        phrases: &["0x80070057", "e invalidarg"],
    },
    Rule {
        name: "Windows: timed out",
        rank: Rank::Code,
        verdict: verdict::TIMEOUT,
        phrases: &["0x800705b4", "0x80072ee2", "0x80131505"],
    },
    Rule {
        name: "Windows: not reached",
        rank: Rank::Code,
        verdict: verdict::UNREACHED,
        phrases: &["0x80072ee7", "0x80072efd", "0x8007274d", "0x80072af9"],
    },
    Rule {
        name: "Windows: connection broken",
        rank: Rank::Code,
        verdict: verdict::NETWORK,
        phrases: &["0x80072efe", "0x80072746", "0x800706be", "0x80070040"],
    },
    Rule {
        name: "Windows: certificate not accepted",
        rank: Rank::Code,
        verdict: verdict::NETWORK_FINAL,
        phrases: &[
            "0x80072f8f",
            "0x80072f0d",
            "0x80072f06",
            "0x80090325",
            "0x80090322",
        ],
    },
    Rule {
        name: "Windows: not available now",
        rank: Rank::Code,
        verdict: verdict::SERVICE,
        phrases: &[
            "0x800706ba",
            "0x80010001",
            "0x8001010a",
            "rpc e call rejected",
            "rpc e servercall retrylater",
        ],
    },
    Rule {
        name: "Windows: cancelled",
        rank: Rank::Code,
        verdict: verdict::CANCELLED,
        phrases: &["0x80004004", "0x800704c7", "e abort"],
    },
    Rule {
        name: "Windows: logon failure",
        rank: Rank::Code,
        verdict: verdict::AUTH,
        phrases: &["0x8007052e", "0x80070569"],
    },
];
