/*
 * Loaded before the C library into a program whose instructions are counted (count.sh), so that it
 * does the same in every run: each reading of a clock is a microsecond after the one before,
 * whoever asks and whatever the machine is busy with, and hash seeds are the same.
 */
#define _GNU_SOURCE
#include <stddef.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

static struct timespec now = {.tv_sec = 1000000000};

int clock_gettime(clockid_t clock, struct timespec *time) {
    (void)clock;
    now.tv_nsec += 1000;
    if (now.tv_nsec == 1000000000) {
        now.tv_sec++;
        now.tv_nsec = 0;
    }
    *time = now;
    return 0;
}

ssize_t getrandom(void *bytes, size_t count, unsigned flags) {
    (void)flags;
    memset(bytes, 0x5a, count);
    return (ssize_t)count;
}
