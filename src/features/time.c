/* time.c: see time.h. The server keeps UTC: whoever wants local times has them from clients. */
#include "features/time.h"

#include "wire/build.h"
#include "wire/names.h"
#include "wire/timestamp.h"

#define SECONDS_BYTES (sizeof "2002-09-10T23:08:25" - 1)

void time_request(struct turn *turn)
{
    struct build build;
    char utc[TIMESTAMP_BYTES];
    timestamp_write(turn->server->wall_us, utc);
    build_init(&build, &turn->server->arena, 256);
    build_str(&build, "<time xmlns='" NS_TIME "'><tzo>+00:00</tzo><utc>");
    build_put(&build, span_of(utc, SECONDS_BYTES)); /* some parsers know no fractions */
    build_str(&build, "Z</utc></time>");
    reply_result(turn, build_span(&build));
}
