/* version.c: XEP-0092, VE-1. */
#include "features/version.h"

#include "wire/build.h"
#include "wire/names.h"

#ifndef KITH_VERSION
#define KITH_VERSION "unknown"
#endif

const char version_text[] = KITH_VERSION;

void version_request(struct turn *turn)
{
    struct build build;
    build_init(&build, &turn->server->arena, 512);
    build_str(&build, "<query xmlns='" NS_VERSION "'><name>kith</name><version>");
    build_text(&build, span_string(version_text));
    build_str(&build, "</version></query>");
    reply_result(turn, build_span(&build));
}
