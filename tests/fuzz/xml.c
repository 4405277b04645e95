/* One stanza from arbitrary bytes: the restored parser against fresh ones (ST-5b, design idea 3).
 */
#include "tests/fuzz/oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char region[1 << 20] __attribute__((aligned(4096)));
    static char memory[1 << 16] __attribute__((aligned(16)));
    static struct xml *headers;
    struct arena arena;
    struct stanza stanza;
    struct span source = {(const char *)data, size};

    if (headers == NULL)
        headers = xml_open(region, sizeof(region), &oracle_limits);
    must(headers != NULL);
    (void)oracle_compare_stanza(XML_CONTENT_DEFAULT, source);
    (void)oracle_compare_stanza(XML_STREAM_DEFAULT, source);
    arena_init(&arena, memory, sizeof(memory));
    if (xml_read_header(headers, source, &arena, &stanza) == XML_OK) {
        must(stanza.node_count == 1 && stanza.nodes[0].inside == size);
        must(stanza.nodes[0].end == size && source.bytes[stanza.nodes[0].start] == '<');
    }
    return 0;
}
