//! Numbered errors of vendors, by the word that stands before the number.
//!
//! Sources: `MySQL` server and client error reference, Oracle error messages, SQL Server
//! `sys.messages`, `curl(1)` exit codes, `MongoDB` `error_codes.yml`, gRPC `status.proto`, RFC 6455.

use std::ops::RangeInclusive;

use crate::Retry;
use crate::classify::text::rule::{Rank, Verdict, verdict};

/// Numbers that mean the same after one of the cue words.
pub(in crate::classify::text) struct Numbered {
    pub(in crate::classify::text) cues: &'static [&'static str],
    pub(in crate::classify::text) numbers: &'static [RangeInclusive<i32>],
    pub(in crate::classify::text) rank: Rank,
    pub(in crate::classify::text) verdict: Verdict,
    pub(in crate::classify::text) reason: &'static str,
}

macro_rules! numbered {
    ($($cues:ident [$($first:literal $(to $last:literal)?)*] $rank:ident $verdict:expr, $reason:literal;)*) => {
        &[$(Numbered {
            cues: $cues,
            numbers: &[$(numbered!(@ $first $(to $last)?)),*],
            rank: Rank::$rank,
            verdict: $verdict,
            reason: $reason,
        },)*]
    };
    (@ $only:literal) => { $only..=$only };
    (@ $first:literal to $last:literal) => { $first..=$last };
}

pub(in crate::classify::text) const MYSQL: &[&str] = &["error", "code", "errno", "mysql", "hy000"];
const CURL: &[&str] = &[
    "curl",
    "curl error",
    "curl errno",
    "curl error code",
    // Guzzle and others write cURL.
    "c url error",
    "c url error code",
];
/// Where the text mentions curl.
pub(in crate::classify::text) const CURL_EXIT: &[&str] =
    &["exited with code", "exit code", "exit status"];
const ORACLE: &[&str] = &["ora"];
const SQL_SERVER: &[&str] = &["msg", "number"];
const CODE: &[&str] = &["code"];
const NSURL: &[&str] = &[
    "nsurl error domain error",
    "nsurl error domain code",
    "cf network code",
    "cf network error",
];
const COCOA: &[&str] = &["ns cocoa error domain error", "ns cocoa error domain code"];
pub(in crate::classify::text) const WINDOWS: &[&str] = &["win error", "win32 exception", "win32"];
const WEBSOCKET: &[&str] = &[
    "websocket close",
    "websocket closed",
    "socket close",
    "socket closed",
    "close code",
    "closed code",
    "closed with code",
    "close status",
];
const GRPC: &[&str] = &["grpc status", "grpc code", "rpc error code"];

/// What a code of Microsoft Entra ID means (its list of AADSTS codes): a refusal, but for the few
/// that are documented as passing.
pub(in crate::classify::text) fn entra(code: Option<i32>) -> (Verdict, &'static str) {
    match code {
        Some(50_087 | 90_006 | 90_012 | 90_024 | 90_025 | 90_033 | 399_284) => {
            (verdict::SERVICE, "Microsoft Entra ID: a transient error")
        }
        Some(90_055) => (verdict::THROTTLED, "Microsoft Entra ID: throttled"),
        _ => (verdict::AUTH, "Microsoft Entra ID: AADSTS"),
    }
}

/// Whether a number after this word may be one of [`NUMBERED`]: whether a cue ends with it.
pub(in crate::classify::text) fn is_cue(word: &[u8]) -> bool {
    matches!(
        word,
        b"close"
            | b"closed"
            | b"code"
            | b"curl"
            | b"errno"
            | b"error"
            | b"exception"
            | b"hy000"
            | b"msg"
            | b"mysql"
            | b"number"
            | b"ora"
            | b"status"
            | b"win32"
    )
}

pub(in crate::classify::text) static NUMBERED: &[Numbered] = numbered![
    // winerror.h; decisive, since the words beside it are those of many conditions.
    WINDOWS [2 3 15] Decisive verdict::FILE_MISSING, "Windows: no such file";
    WINDOWS [1 5 6 17 19 80 87 123 145 183 206 267 1314] Decisive verdict::FILE_REFUSED, "Windows: file refused";
    WINDOWS [32 33 170 1224] Decisive verdict::FILE_BUSY, "Windows: file in use";
    WINDOWS [21 23 39 112 1117] Decisive verdict::DISK, "Windows: disk";
    WINDOWS [8 14 1450 1455] Decisive verdict::MEMORY, "Windows: out of memory";
    WINDOWS [121 1460 10060] Decisive verdict::TIMEOUT, "Windows: timed out";
    WINDOWS [995 1223] Decisive verdict::CANCELLED, "Windows: cancelled";
    WINDOWS [1225 1231 10061 11001 11002 11004] Decisive verdict::UNREACHED, "Windows: not reached";
    WINDOWS [64 109 232 1236 10053 10054] Decisive verdict::NETWORK, "Windows: connection broken";
    WINDOWS [86 1326 1327 1330 1331] Decisive verdict::AUTH, "Windows: logon failure";
    WINDOWS [10048] Decisive verdict::SOCKET, "Windows: address in use";
    MYSQL [1114] Code verdict::DISK, "MySQL: table full";
    MYSQL [1129 1290 1836] Code verdict::SERVICE_FINAL, "MySQL: host blocked or server read-only";
    MYSQL [4031] Code verdict::NETWORK, "MySQL: disconnected for inactivity";
    MYSQL [1040 1203 1226] Code verdict::SERVICE_BUSY, "MySQL: too many connections";
    MYSQL [1044 1045 1130 1142 1143 1227 1698] Code verdict::AUTH, "MySQL: access denied";
    MYSQL [1049 1146] Code verdict::NOT_FOUND, "MySQL: unknown database or table";
    MYSQL [1048 1052 1054 1064 1118 1136 1264 1265 1292 1364 1366 1406] Code verdict::VALIDATION, "MySQL: bad statement or value";
    MYSQL [1007 1022 1050 1061 1062 1216 1217 1451 1452 1586] Code verdict::CONFLICT, "MySQL: constraint";
    MYSQL [1205 3024] Code verdict::TIMEOUT, "MySQL: timeout";
    MYSQL [1213 3572] Code verdict::COLLISION, "MySQL: deadlock";
    MYSQL [1317] Code verdict::CANCELLED, "MySQL: query interrupted";
    // The socket file that is missing is the server's.
    MYSQL [2002 2003 2005] Decisive verdict::UNREACHED, "MySQL: no connection";
    MYSQL [2006 2013 2055] Code verdict::NETWORK, "MySQL: connection lost";
    ORACLE [12541 12514 12505 12545] Code verdict::UNREACHED, "Oracle: no listener or service";
    ORACLE [3106 3113 3114 3135 12537 12547 12560 12571 17002 17008 17410 25408 28547] Code verdict::NETWORK, "Oracle: connection lost";
    ORACLE [12170 2049 51 30006 3136] Code verdict::TIMEOUT, "Oracle: timeout";
    ORACLE [1013 28] Code verdict::CANCELLED, "Oracle: cancelled";
    ORACLE [60 8177] Code verdict::COLLISION, "Oracle: deadlock or serialization";
    // Words beside it speak of a time limit.
    ORACLE [54 4020 4021] Decisive verdict::COLLISION, "Oracle: resource busy";
    // A name that is not in tnsnames.ora.
    ORACLE [12154] Code verdict::NETWORK_FINAL, "Oracle: unknown connect identifier";
    ORACLE [1 2291 2292] Code verdict::CONFLICT, "Oracle: constraint";
    ORACLE [1017 1031 28000 28001 1005] Code verdict::AUTH, "Oracle: access";
    ORACLE [942 1403] Code verdict::NOT_FOUND, "Oracle: no such table or data";
    ORACLE [900 904 911 933 936 1400 1438 1722 12899] Code verdict::VALIDATION, "Oracle: bad statement or value";
    // The ranges that the Oracle manual gives to the parser and to values; what is listed above goes first.
    ORACLE [900 to 999 1400 to 1499 1700 to 1799 1800 to 1899] Code verdict::VALIDATION, "Oracle: bad statement or value";
    ORACLE [18 20 12516 12518 12519 12520] Code verdict::SERVICE_BUSY, "Oracle: too many sessions";
    ORACLE [1033 1034 1089 1090 12528] Code verdict::SERVICE_BUSY, "Oracle: starting or stopping";
    ORACLE [4030 4031] Code verdict::MEMORY, "Oracle: out of memory";
    ORACLE [1650 to 1655 1536 1691 30036] Code verdict::DISK, "Oracle: no space";
    ORACLE [257 16014 16038] Code verdict::SERVICE_FINAL, "Oracle: archiver";
    ORACLE [6502 6550 1461 1480 1489] Code verdict::VALIDATION, "Oracle: bad statement or value";
    ORACLE [4043 2289] Code verdict::NOT_FOUND, "Oracle: no such object";
    ORACLE [955 1430 2449] Code verdict::CONFLICT, "Oracle: exists";
    SQL_SERVER [1205 3960] Code verdict::COLLISION, "SQL Server: deadlock";
    SQL_SERVER [1222] Code verdict::TIMEOUT, "SQL Server: lock timeout";
    SQL_SERVER [2601 2627 547] Code verdict::CONFLICT, "SQL Server: constraint";
    SQL_SERVER [18452 18456 229 230 4060] Code verdict::AUTH, "SQL Server: access";
    SQL_SERVER [102 105 137 156 170 207 241 245 515 2628 8114 8115 8134 8152] Code verdict::VALIDATION, "SQL Server: bad statement or value";
    SQL_SERVER [1105 9002] Code verdict::DISK, "SQL Server: no space";
    SQL_SERVER [701 802 8645] Code verdict::MEMORY, "SQL Server: out of memory";
    SQL_SERVER [208 2812] Code verdict::NOT_FOUND, "SQL Server: no such object";
    SQL_SERVER [10928 10929 40197 40501 40613 49918 49919 49920] Code verdict::SERVICE, "Azure SQL: not available now";
    CURL [5 6 7] Code verdict::UNREACHED, "curl: could not resolve or connect";
    CURL [16 18 52 55 56 92] Code verdict::NETWORK, "curl: connection broken";
    CURL [28] Code verdict::TIMEOUT, "curl: timed out";
    // From a reset connection to old protocols.
    CURL [35] Code verdict::UNREACHED.retry(Retry::Unsure), "curl: TLS connect error";
    CURL [51 53 54 58 59 60 66 77 80 83 90 91] Code verdict::NETWORK_FINAL, "curl: TLS";
    CURL [3] Code verdict::VALIDATION, "curl: malformed URL";
    CURL [67 9] Code verdict::AUTH, "curl: access";
    CURL [23] Code verdict::DISK, "curl: cannot write";
    CURL [27] Code verdict::MEMORY, "curl: out of memory";
    // NSURLError.h and CFNetworkErrors.h.
    NSURL [-999] Decisive verdict::CANCELLED, "NSURLError: cancelled";
    NSURL [-1001] Decisive verdict::TIMEOUT, "NSURLError: timed out";
    NSURL [-1003 -1004 -1006 -1009 -1018 -1019 -1020] Decisive verdict::UNREACHED, "NSURLError: not reached";
    NSURL [-1005 -1014] Decisive verdict::NETWORK, "NSURLError: connection lost";
    NSURL [-1200] Decisive verdict::UNREACHED.retry(Retry::Unsure), "NSURLError: no secure connection";
    NSURL [-1206 to -1201 -1022] Decisive verdict::NETWORK_FINAL, "NSURLError: certificate or policy";
    NSURL [-1002 -1000 -1007 -1103] Decisive verdict::VALIDATION, "NSURLError: bad URL or answer too large";
    NSURL [-1017 to -1015] Decisive verdict::ENCODING, "NSURLError: cannot decode";
    NSURL [-1011] Decisive verdict::SERVICE, "NSURLError: bad server response";
    NSURL [-1012 -1013] Decisive verdict::AUTH, "NSURLError: authentication required";
    NSURL [-1100] Decisive verdict::FILE_MISSING, "NSURLError: no such file";
    NSURL [-1101 -1102] Decisive verdict::FILE_REFUSED, "NSURLError: file refused";
    // FoundationErrors.h.
    COCOA [4 260] Decisive verdict::FILE_MISSING, "NSCocoaError: no such file";
    COCOA [257 513 516 642] Decisive verdict::FILE_REFUSED, "NSCocoaError: file refused";
    COCOA [640] Decisive verdict::DISK, "NSCocoaError: no space";
    COCOA [261 264 517] Decisive verdict::ENCODING, "NSCocoaError: encoding";
    COCOA [3840 4864 4865] Decisive verdict::VALIDATION, "NSCocoaError: could not be parsed";
    COCOA [3072] Decisive verdict::CANCELLED, "NSCocoaError: cancelled";
    CURL_EXIT [5 6 7] Code verdict::UNREACHED, "curl: could not resolve or connect";
    CURL_EXIT [18 52 55 56 92] Code verdict::NETWORK, "curl: connection broken";
    CURL_EXIT [28] Code verdict::TIMEOUT, "curl: timed out";
    CODE [10107 13435 13436 11600 11602 10058] Code verdict::SERVICE, "MongoDB: no primary";
    CODE [11000 11001] Code verdict::CONFLICT, "MongoDB: duplicate key";
    // RFC 6455, 7.4.1, and the IANA registry of close codes; 1008 is what servers send for refused access.
    WEBSOCKET [1000 1001 1005 1006] Code verdict::NETWORK, "WebSocket: closed";
    WEBSOCKET [1002 1003 1009 1010] Code verdict::VALIDATION, "WebSocket: message not accepted";
    WEBSOCKET [1007] Code verdict::ENCODING, "WebSocket: not the expected encoding";
    WEBSOCKET [1008] Code verdict::AUTH, "WebSocket: policy violation";
    WEBSOCKET [1011 1012 1013 1014] Code verdict::SERVICE, "WebSocket: server failed or restarts";
    WEBSOCKET [1015] Code verdict::UNREACHED.retry(Retry::Unsure), "WebSocket: TLS handshake failed";
    GRPC [2 13 15] Vague verdict::SERVICE_UNSURE, "gRPC UNKNOWN or INTERNAL";
    GRPC [1] Code verdict::CANCELLED, "gRPC CANCELLED";
    GRPC [3 11] Code verdict::VALIDATION, "gRPC INVALID_ARGUMENT";
    GRPC [4] Code verdict::TIMEOUT, "gRPC DEADLINE_EXCEEDED";
    GRPC [5] Code verdict::NOT_FOUND, "gRPC NOT_FOUND";
    GRPC [6 9] Code verdict::CONFLICT, "gRPC ALREADY_EXISTS or FAILED_PRECONDITION";
    GRPC [7 16] Code verdict::AUTH, "gRPC PERMISSION_DENIED or UNAUTHENTICATED";
    GRPC [8] Code verdict::THROTTLED, "gRPC RESOURCE_EXHAUSTED";
    GRPC [10] Code verdict::COLLISION, "gRPC ABORTED";
    GRPC [12] Code verdict::SERVICE_FINAL, "gRPC UNIMPLEMENTED";
    GRPC [14] Code verdict::SERVICE, "gRPC UNAVAILABLE";
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cue_ends_with_a_word_that_is_looked_for() {
        for cue in NUMBERED.iter().flat_map(|code| code.cues) {
            let last = cue.rsplit(' ').next().unwrap_or_default();
            assert!(is_cue(last.as_bytes()), "{cue}");
        }
    }
}
