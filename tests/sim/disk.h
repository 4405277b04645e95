/* disk.h: a disk under LMDB that stalls, fails and loses its power, for test programs that link
 * disk.c: it stands in for pwrite, writev, fdatasync, fsync and mmap on kith.mdb of one directory.
 * What is written becomes safe when its file is synced; a write through an O_DSYNC descriptor is
 * safe by itself, and syncs nothing else. Nothing waits for the real disk. Takes no malloc. Limits:
 * DISK_FILE_BYTES_MAX a file and of unsynced writes; sectors of 512 bytes stay whole. */
#ifndef KITH_DISK_H
#define KITH_DISK_H

#include <stdbool.h>
#include <stdint.h>

#define DISK_FILE_BYTES_MAX (64u << 20)
#define DISK_SECTOR_BYTES 512

/* Kinds of calls, for faults and counts. Every write and every sync is one event. */
enum disk_call { DISK_WRITE, DISK_SYNC, DISK_MAP, DISK_CALLS };

/* What the disk does not keep of its promises (to prove that a test would notice). */
enum disk_lie {
    DISK_HONEST,
    DISK_DSYNC_LIES, /* O_DSYNC writes wait for the next sync, as with MDB_NOMETASYNC */
    DISK_SYNC_LIES,  /* nothing is ever safe, as with MDB_NOSYNC */
};

struct disk_counts {
    uint64_t calls[DISK_CALLS];
    uint64_t bytes; /* written */
};

/* Files of directory are on the simulated disk from now on, as they are. */
void disk_watch(const char *directory);
/* Back to the real disk; lets go of everything. */
void disk_unwatch(void);

/* The n-th call of this kind from now (1: the next) fails with this errno, and with lasting also
 * all later ones. error 0: a write that takes only half of its bytes. n 0: no more faults. */
void disk_fail(enum disk_call call, uint64_t n, int error, bool lasting);

/* Called at each sync and O_DSYNC write, before it: to let virtual time pass. NULL: none. */
void disk_stall(void (*stall)(void *context), void *context);

void disk_lie(enum disk_lie lie);

/* The power goes during the n-th event from now (1: the next; 0: at once). That event and every
 * later one fail with EIO and change nothing any more. */
void disk_cut_at(uint64_t n);
bool disk_is_cut(void);

/* While the power is off: the files become what a disk may show afterwards: what was safe, and of
 * each unsynced sector nothing, everything or the first few writes, as seed decides. May be called
 * again with other seeds. Close the store before: its map would change under it. */
void disk_image(uint64_t seed);
/* The power is back: the files as they are now are safe. */
void disk_power_on(void);

void disk_count(struct disk_counts *counts);

#endif
