//! Error numbers and names of operating systems.
//!
//! Source: POSIX.1-2024 <errno.h>; the numbers of Linux (`asm-generic/errno.h`), macOS
//! (`sys/errno.h`) and Windows Sockets (`winerror.h`).

use std::ops::RangeInclusive;

use crate::classify::text::rule::{Verdict, verdict};
use crate::{Category, Retry};

/// One condition under all its names.
pub(in crate::classify) struct Errno {
    /// The name in lower case, as it stands in a normalised text.
    pub(in crate::classify::text) name: &'static str,
    linux: i32,
    /// Where macOS has another number than Linux.
    macos: Option<i32>,
    /// The number of Windows Sockets.
    winsock: Option<i32>,
    pub(in crate::classify) verdict: Verdict,
    pub(in crate::classify) reason: &'static str,
}

/// What a number means in a text of unknown origin: Linux first, then the others where Linux has
/// no such error.
pub(in crate::classify::text) fn anywhere(number: i32) -> Option<&'static Errno> {
    let find = |is: fn(&Errno, i32) -> bool| ERRNOS.iter().find(|errno| is(errno, number));
    find(|errno, number| errno.linux == number)
        .or_else(|| find(|errno, number| errno.winsock == Some(number)))
        .or_else(|| find(|errno, number| errno.macos == Some(number)))
}

/// What a number means on the system that this program runs on.
pub(in crate::classify) fn here(number: i32) -> Option<&'static Errno> {
    ERRNOS.iter().find(|errno| {
        if cfg!(windows) {
            errno.winsock == Some(number)
        } else if cfg!(target_vendor = "apple") {
            errno.macos.unwrap_or(errno.linux) == number
        } else {
            errno.linux == number
        }
    })
}

/// Every condition that is listed.
pub(in crate::classify::text) fn all() -> &'static [Errno] {
    ERRNOS
}

/// The numbers that Windows gives to failures of TLS and of certificates (winerror.h, `SEC_E_*`
/// and `CERT_E_*`: `0x8009_0300` to `0x8009_03ff`, `0x800b_0100` to `0x800b_01ff`).
pub(in crate::classify::text) const SCHANNEL: [RangeInclusive<i32>; 2] =
    [-0x7ff6_fd00..=-0x7ff6_fc01, -0x7ff4_ff00..=-0x7ff4_fe01];

pub(in crate::classify::text) static TLS: Errno = Errno {
    name: "",
    linux: 0,
    macos: None,
    winsock: None,
    verdict: verdict::NETWORK_FINAL,
    reason: "Windows: TLS",
};

macro_rules! errnos {
    ($($name:literal $linux:literal $(mac $macos:literal)? $(win $winsock:literal)? => $verdict:expr;)*) => {
        &[$(Errno {
            name: $name,
            linux: $linux,
            macos: errnos!(@ $($macos)?),
            winsock: errnos!(@ $($winsock)?),
            verdict: $verdict,
            reason: concat!("errno ", $name),
        },)*]
    };
    (@) => { None };
    (@ $number:literal) => { Some($number) };
}

/// Not available now, whatever it was: a lock, a socket, a process slot.
const NOT_NOW: Verdict = Verdict::of(Category::FILESYSTEM).retry(Retry::Yes);

static ERRNOS: &[Errno] = errnos![
    "eperm" 1 => verdict::FILE_REFUSED;
    "enoent" 2 => verdict::FILE_MISSING;
    "eintr" 4 win 10004 => NOT_NOW;
    "eio" 5 => verdict::DISK;
    "enxio" 6 => verdict::DISK;
    "e2big" 7 => verdict::VALIDATION;
    "ebadf" 9 => verdict::FILE_REFUSED;
    "eagain" 11 mac 35 win 10035 => NOT_NOW;
    "enomem" 12 => verdict::MEMORY;
    "eacces" 13 win 10013 => verdict::FILE_REFUSED;
    "ebusy" 16 => verdict::FILE_BUSY;
    "eexist" 17 => verdict::FILE_REFUSED;
    "exdev" 18 => verdict::FILE_REFUSED;
    "enodev" 19 => verdict::DISK;
    "enotdir" 20 => verdict::FILE_REFUSED;
    "eisdir" 21 => verdict::FILE_REFUSED;
    "einval" 22 => verdict::VALIDATION;
    "enfile" 23 => verdict::FILE_BUSY;
    "emfile" 24 win 10024 => verdict::FILE_BUSY;
    "etxtbsy" 26 => verdict::FILE_BUSY;
    "efbig" 27 => verdict::FILE_REFUSED;
    "enospc" 28 => verdict::DISK;
    "espipe" 29 => verdict::FILE_REFUSED;
    "erofs" 30 => verdict::DISK;
    "emlink" 31 => verdict::FILE_REFUSED;
    "epipe" 32 => verdict::NETWORK;
    "enametoolong" 36 mac 63 => verdict::FILE_REFUSED;
    "enotempty" 39 mac 66 => verdict::FILE_REFUSED;
    "eloop" 40 mac 62 => verdict::FILE_REFUSED;
    "eproto" 71 mac 100 => verdict::NETWORK;
    "ebadmsg" 74 mac 94 => verdict::VALIDATION;
    "eoverflow" 75 mac 84 => verdict::VALIDATION;
    "eilseq" 84 mac 92 => verdict::ENCODING;
    "emsgsize" 90 mac 40 win 10040 => verdict::VALIDATION;
    "eprotonosupport" 93 mac 43 win 10043 => verdict::SOCKET;
    "eopnotsupp" 95 mac 102 win 10045 => verdict::VALIDATION;
    "eafnosupport" 97 mac 47 win 10047 => verdict::SOCKET;
    "eaddrinuse" 98 mac 48 win 10048 => verdict::SOCKET;
    // A wrong address to bind to, or all local ports in use for the moment.
    "eaddrnotavail" 99 mac 49 win 10049 => verdict::SOCKET.retry(Retry::Unsure);
    "enetdown" 100 mac 50 win 10050 => verdict::NETWORK;
    "enetunreach" 101 mac 51 win 10051 => verdict::NETWORK;
    "enetreset" 102 mac 52 win 10052 => verdict::NETWORK;
    "econnaborted" 103 mac 53 win 10053 => verdict::NETWORK;
    "econnreset" 104 mac 54 win 10054 => verdict::NETWORK;
    "enobufs" 105 mac 55 win 10055 => verdict::MEMORY.retry(Retry::Yes);
    "enotconn" 107 mac 57 win 10057 => verdict::NETWORK;
    "eshutdown" 108 mac 58 win 10058 => verdict::NETWORK;
    "etimedout" 110 mac 60 win 10060 => verdict::TIMEOUT;
    "econnrefused" 111 mac 61 win 10061 => verdict::UNREACHED;
    "ehostdown" 112 mac 64 win 10064 => verdict::NETWORK;
    "ehostunreach" 113 mac 65 win 10065 => verdict::NETWORK;
    // Gone for good, or until it is opened anew.
    "estale" 116 mac 70 => verdict::FILE_UNSURE;
    "edquot" 122 mac 69 => verdict::DISK;
    "ecanceled" 125 mac 89 => verdict::CANCELLED;
    // A mutex whose owner died, told of here so that 130 is not taken for a status.
    "eownerdead" 130 mac 105 => verdict::UNKNOWN;
    // Name lookup on Windows (WSAHOST_NOT_FOUND, WSATRY_AGAIN, WSANO_RECOVERY, WSANO_DATA).
    "wsahost_not_found" -1 win 11001 => verdict::UNREACHED;
    "wsatry_again" -1 win 11002 => verdict::UNREACHED;
    "wsano_recovery" -1 win 11003 => verdict::UNREACHED;
    "wsano_data" -1 win 11004 => verdict::UNREACHED;
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_three_systems_mean_the_same() {
        for number in [111, 61, 10061] {
            assert_eq!(
                anywhere(number).map(|errno| errno.name),
                Some("econnrefused")
            );
        }
        assert!(anywhere(77).is_none());
    }
}
