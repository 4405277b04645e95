/* load_meter.c: the server's CPU and memory as the kernel counts them (/proc/PID), and the lines in
 * which figures are printed: name, value, unit. Linux only, like the rest of the ruler. */
#include "load.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool file_read(const char *path, char *out, size_t size)
{
    FILE *file = fopen(path, "r");
    if (!file)
        return false;
    size_t len = fread(out, 1, size - 1, file);
    out[len] = '\0';
    fclose(file);
    return len > 0;
}

/* What all threads that live ran, and waited to run; 0 where the kernel does not count it. */
static double threads_us(int pid, double *waited_us)
{
    char path[400], text[128], *end;
    double sum = 0;
    *waited_us = 0;
    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    DIR *directory = opendir(path);
    if (!directory)
        return 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", pid, entry->d_name);
        if (entry->d_name[0] != '.' && file_read(path, text, sizeof(text))) {
            sum += strtod(text, &end) / 1000;
            *waited_us += strtod(end, NULL) / 1000;
        }
    }
    closedir(directory);
    return sum;
}

/* A page that is written is counted whole, as a flash card does. */
static double written_read(int pid)
{
    char path[64], text[1024];
    snprintf(path, sizeof(path), "/proc/%d/io", pid);
    if (!file_read(path, text, sizeof(text)))
        return 0;
    const char *pages = strstr(text, "\nwrite_bytes:"), *handed = strstr(text, "wchar:");
    double bytes = pages ? strtod(pages + 13, NULL) : 0;
    return bytes > 0 || !handed ? bytes : strtod(handed + 6, NULL);
}

void usage_read(int pid, struct usage *usage)
{
    char path[64], text[1024];
    unsigned long user, system;
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    if (!file_read(path, text, sizeof(text)))
        fail("%s: no such process", path);
    /* The name in brackets may hold anything; what follows the last bracket does not. */
    const char *rest = strrchr(text, ')');
    if (!rest || sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                        &system) != 2)
        fail("%s: not understood", path);
    double tick_us = 1e6 / (double)sysconf(_SC_CLK_TCK);
    usage->user_us = (double)user * tick_us;
    usage->system_us = (double)system * tick_us;
    usage->written = written_read(pid);
    usage->total_us = threads_us(pid, &usage->waited_us);
    if (usage->total_us <= 0)
        usage->total_us = usage->user_us + usage->system_us;
}

void usage_self(struct usage *usage)
{
    usage_read(getpid(), usage);
}

bool memory_read(int pid, double *rss_kb, double *anonymous_kb)
{
    char path[64], text[4096];
    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
    if (!file_read(path, text, sizeof(text)))
        return false;
    const char *rss = strstr(text, "\nRss:");
    const char *anonymous = strstr(text, "\nAnonymous:");
    if (!rss || !anonymous)
        return false;
    *rss_kb = strtod(rss + 5, NULL);
    *anonymous_kb = strtod(anonymous + 11, NULL);
    return true;
}

void report(const char *name, double value, const char *unit)
{
    printf("%-36s %14.3f %s\n", name, value, unit);
}

void report_usage(const char *per, const struct usage *from, const struct usage *to, double count)
{
    char name[80];
    snprintf(name, sizeof(name), "server_cpu_per_%s", per);
    report(name, (to->total_us - from->total_us) / count, "us");
    snprintf(name, sizeof(name), "server_user_per_%s", per);
    report(name, (to->user_us - from->user_us) / count, "us");
    snprintf(name, sizeof(name), "server_system_per_%s", per);
    report(name, (to->system_us - from->system_us) / count, "us");
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void report_spread(const char *name, double *samples, size_t count, const char *unit)
{
    static const struct {
        const char *suffix;
        double share;
    } marks[] = {{"median", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"max", 1}};
    if (count == 0)
        return;
    qsort(samples, count, sizeof(samples[0]), compare);
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        char line[80];
        snprintf(line, sizeof(line), "%s_%s", name, marks[i].suffix);
        report(line, samples[(size_t)((double)(count - 1) * marks[i].share)], unit);
    }
}
