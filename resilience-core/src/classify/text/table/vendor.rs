//! Numbered errors of vendors, by the word that stands before the number.
//!
//! Sources: `MySQL` server and client error reference, Oracle error messages, SQL Server
//! `sys.messages`, `curl(1)` exit codes, `MongoDB` `error_codes.yml`, gRPC `status.proto`.

use crate::classify::text::rule::{Rank, Verdict, verdict};

/// Numbers that mean the same after one of the cue words.
pub(in crate::classify::text) struct Numbered {
    pub(in crate::classify::text) cues: &'static [&'static str],
    pub(in crate::classify::text) numbers: &'static [i32],
    pub(in crate::classify::text) rank: Rank,
    pub(in crate::classify::text) verdict: Verdict,
    pub(in crate::classify::text) reason: &'static str,
}

const fn numbered(
    cues: &'static [&'static str],
    numbers: &'static [i32],
    verdict: Verdict,
    reason: &'static str,
) -> Numbered {
    Numbered {
        cues,
        numbers,
        rank: Rank::Code,
        verdict,
        reason,
    }
}

const MYSQL: &[&str] = &["error", "code", "errno", "mysql"];
const CURL: &[&str] = &["curl"];
const ORACLE: &[&str] = &["ora"];
const SQL_SERVER: &[&str] = &["msg", "number"];
const CODE: &[&str] = &["code"];
const GRPC: &[&str] = &["grpc status", "grpc code"];

pub(in crate::classify::text) static NUMBERED: &[Numbered] = &[
    numbered(
        MYSQL,
        &[1040, 1203, 1226],
        verdict::SERVICE_BUSY,
        "MySQL: too many connections",
    ),
    numbered(
        MYSQL,
        &[1044, 1045, 1142, 1143, 1227, 1698],
        verdict::AUTH,
        "MySQL: access denied",
    ),
    numbered(
        MYSQL,
        &[1049, 1146],
        verdict::NOT_FOUND,
        "MySQL: unknown database or table",
    ),
    numbered(
        MYSQL,
        &[1048, 1054, 1064, 1264, 1265, 1366, 1406],
        verdict::VALIDATION,
        "MySQL: bad statement or value",
    ),
    numbered(
        MYSQL,
        &[1050, 1062, 1216, 1217, 1451, 1452, 1586],
        verdict::CONFLICT,
        "MySQL: constraint",
    ),
    numbered(MYSQL, &[1205, 3024], verdict::TIMEOUT, "MySQL: timeout"),
    numbered(MYSQL, &[1213, 3572], verdict::COLLISION, "MySQL: deadlock"),
    numbered(
        MYSQL,
        &[1317],
        verdict::CANCELLED,
        "MySQL: query interrupted",
    ),
    numbered(
        MYSQL,
        &[2002, 2003, 2005],
        verdict::UNREACHED,
        "MySQL: no connection",
    ),
    numbered(
        MYSQL,
        &[2006, 2013, 2055],
        verdict::NETWORK,
        "MySQL: connection lost",
    ),
    numbered(
        ORACLE,
        &[12541, 12514, 12505, 12154, 12545],
        verdict::UNREACHED,
        "Oracle: no listener or service",
    ),
    numbered(
        ORACLE,
        &[3113, 3114, 3135, 12537, 12547, 12571, 17002],
        verdict::NETWORK,
        "Oracle: connection lost",
    ),
    numbered(ORACLE, &[12170, 1013], verdict::TIMEOUT, "Oracle: timeout"),
    numbered(
        ORACLE,
        &[60, 8177],
        verdict::COLLISION,
        "Oracle: deadlock or serialization",
    ),
    numbered(ORACLE, &[54], verdict::COLLISION, "Oracle: resource busy"),
    numbered(
        ORACLE,
        &[1, 2291, 2292],
        verdict::CONFLICT,
        "Oracle: constraint",
    ),
    numbered(
        ORACLE,
        &[1017, 1031, 28000, 28001, 1005],
        verdict::AUTH,
        "Oracle: access",
    ),
    numbered(
        ORACLE,
        &[942, 1403],
        verdict::NOT_FOUND,
        "Oracle: no such table or data",
    ),
    numbered(
        ORACLE,
        &[900, 904, 911, 933, 936, 1400, 1438, 1722, 12899],
        verdict::VALIDATION,
        "Oracle: bad statement or value",
    ),
    numbered(
        ORACLE,
        &[18, 20, 12516, 12518, 12519, 12520],
        verdict::SERVICE_BUSY,
        "Oracle: too many sessions",
    ),
    numbered(
        ORACLE,
        &[1033, 1034, 1089, 1090, 12528],
        verdict::SERVICE_BUSY,
        "Oracle: starting or stopping",
    ),
    numbered(
        ORACLE,
        &[4030, 4031],
        verdict::MEMORY,
        "Oracle: out of memory",
    ),
    numbered(
        ORACLE,
        &[1653, 1654, 1652, 1536],
        verdict::DISK,
        "Oracle: no space",
    ),
    numbered(
        SQL_SERVER,
        &[1205, 3960],
        verdict::COLLISION,
        "SQL Server: deadlock",
    ),
    numbered(
        SQL_SERVER,
        &[1222],
        verdict::TIMEOUT,
        "SQL Server: lock timeout",
    ),
    numbered(
        SQL_SERVER,
        &[2601, 2627, 547],
        verdict::CONFLICT,
        "SQL Server: constraint",
    ),
    numbered(
        SQL_SERVER,
        &[18456, 229, 4060],
        verdict::AUTH,
        "SQL Server: access",
    ),
    numbered(
        SQL_SERVER,
        &[208],
        verdict::NOT_FOUND,
        "SQL Server: no such object",
    ),
    numbered(
        SQL_SERVER,
        &[40197, 40501, 40613, 49918, 49919, 49920],
        verdict::SERVICE,
        "Azure SQL: not available now",
    ),
    numbered(
        CURL,
        &[5, 6, 7],
        verdict::UNREACHED,
        "curl: could not resolve or connect",
    ),
    numbered(
        CURL,
        &[16, 18, 52, 55, 56, 92],
        verdict::NETWORK,
        "curl: connection broken",
    ),
    numbered(CURL, &[28], verdict::TIMEOUT, "curl: timed out"),
    numbered(
        CURL,
        &[35, 51, 53, 54, 58, 59, 60, 66, 77, 80, 83, 90, 91],
        verdict::NETWORK_FINAL,
        "curl: TLS",
    ),
    numbered(CURL, &[3], verdict::VALIDATION, "curl: malformed URL"),
    numbered(CURL, &[67, 9], verdict::AUTH, "curl: access"),
    numbered(CURL, &[27], verdict::MEMORY, "curl: out of memory"),
    numbered(
        CODE,
        &[10107, 13435, 13436, 11600, 11602, 10058],
        verdict::SERVICE,
        "MongoDB: no primary",
    ),
    numbered(
        CODE,
        &[11000, 11001],
        verdict::CONFLICT,
        "MongoDB: duplicate key",
    ),
    Numbered {
        cues: GRPC,
        numbers: &[2, 13, 15],
        rank: Rank::Vague,
        verdict: verdict::SERVICE_UNSURE,
        reason: "gRPC UNKNOWN or INTERNAL",
    },
    numbered(GRPC, &[1], verdict::CANCELLED, "gRPC CANCELLED"),
    numbered(GRPC, &[3, 11], verdict::VALIDATION, "gRPC INVALID_ARGUMENT"),
    numbered(GRPC, &[4], verdict::TIMEOUT, "gRPC DEADLINE_EXCEEDED"),
    numbered(GRPC, &[5], verdict::NOT_FOUND, "gRPC NOT_FOUND"),
    numbered(
        GRPC,
        &[6, 9],
        verdict::CONFLICT,
        "gRPC ALREADY_EXISTS or FAILED_PRECONDITION",
    ),
    numbered(
        GRPC,
        &[7, 16],
        verdict::AUTH,
        "gRPC PERMISSION_DENIED or UNAUTHENTICATED",
    ),
    numbered(GRPC, &[8], verdict::THROTTLED, "gRPC RESOURCE_EXHAUSTED"),
    numbered(GRPC, &[10], verdict::COLLISION, "gRPC ABORTED"),
    numbered(GRPC, &[12], verdict::SERVICE_FINAL, "gRPC UNIMPLEMENTED"),
    numbered(GRPC, &[14], verdict::SERVICE, "gRPC UNAVAILABLE"),
];
