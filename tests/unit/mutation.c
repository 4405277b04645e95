/* The comparisons of tests/fuzz on a fixed list of mutated stanzas and streams. */
#include "base/heap.h"
#include "tests/fuzz/oracle_stream.h"
#include "tests/unit/test.h"

#define HEADER "<?xml version='1.0'?><s:stream xmlns='jabber:client' xmlns:s='" NS_STREAM "'>"
#define BYTES_MAX 4096
#define ROUNDS 12000

static const char *const seeds[] = {
    "<message from='a@b/c' to='d@e' id='1' type='chat' xml:lang='en'><body>Art &lt;thou&#x159; "
    "not</body><active xmlns='http://jabber.org/protocol/chatstates'/></message>",
    "<a b='c' d=\"e'f\" xmlns:p='u' p:q='1'>x<![CDATA[<]]>y<p:r xmlns:p='v'/>\r\n<s t='>'/></a>",
    "<iq><query xmlns='jabber:iq:roster'><item jid='x'/><item jid='\xc5\x99'/></query></iq>",
    "<a><b><c><d><e/></d></c></b><![CDATA[]]]]><![CDATA[>]]> </a>",
    "<a><b/><b/><b/><b/><b/><b/><b/><b/><b/><b/><b/><b/><b/><b/><b/><b/><b/><b/><b/><b/><b/><b/>"
    "<b c='' d='' e='' f='' g='' h='' i='' j='' k=''/><b/><b/><b/><b/><b/><b/></a>",
    "<presence/>",
    "<a xmlns:p='jabber:client'><p:b/></a>",
};

static const char *const scraps[] = {
    "<",
    ">",
    "/>",
    "</",
    "='",
    "\"",
    "'",
    "&",
    "&amp;",
    "&#9;",
    "&#0;",
    "&foo;",
    "<![CDATA[",
    "]]>",
    "]",
    "<!--",
    "-->",
    "<?x",
    "?>",
    "<?xml ",
    "xmlns:p=",
    "xmlns=''",
    "p:",
    ":",
    " ",
    "\r\n",
    "\xc3",
    "\xa9",
    "\xff",
    "\xed\xa0\x80",
    "<a/>",
    "</a>",
    "<a x='y'",
    "<!DOC",
    "stream:",
    "xml:lang='x'",
    "='jabber:client'",
    "\xef\xbb\xbf",
};

static uint64_t random_state = 20120411;

static size_t below(size_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t)(random_state >> 11) % bound;
}

/* Puts len bytes in the place of `cut` bytes at `at`. */
static size_t replace(char *bytes, size_t used, size_t at, size_t cut, const char *put, size_t len)
{
    if (used - cut + len > BYTES_MAX)
        return used;
    memmove(bytes + at + len, bytes + at + cut, used - at - cut);
    memcpy(bytes + at, put, len);
    return used - cut + len;
}

static size_t mutate(char *bytes, size_t used)
{
    char copy[64];
    size_t at = below(used + 1);
    size_t len = below(sizeof(copy));
    const char *scrap = scraps[below(sizeof(scraps) / sizeof(scraps[0]))];

    if (len > used - at)
        len = used - at;
    switch (below(4)) {
    case 0:
        return replace(bytes, used, at, 0, scrap, strlen(scrap));
    case 1:
        return replace(bytes, used, at, len < 3 ? len : 3, scrap, strlen(scrap));
    case 2:
        return replace(bytes, used, at, below(len + 1), "", 0);
    default:
        memcpy(copy, bytes + at, len);
        return replace(bytes, used, below(used + 1), 0, copy, len);
    }
}

static size_t append(char *bytes, size_t used, const char *text)
{
    return replace(bytes, used, used, 0, text, strlen(text));
}

int main(void)
{
    static char region[8 << 20] __attribute__((aligned(4096)));
    static char bytes[BYTES_MAX];
    unsigned outcomes[XML_FULL + 1] = {0};

    heap_extend(region, sizeof(region), NULL, 0);
    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t used = append(bytes, 0, seeds[below(sizeof(seeds) / sizeof(seeds[0]))]);
        for (size_t times = below(4); times > 0; times--)
            used = mutate(bytes, used);
        enum xml_wrapper wrapper = round % 4 ? XML_CONTENT_DEFAULT : XML_STREAM_DEFAULT;
        outcomes[oracle_compare_stanza(wrapper, span_of(bytes, used))]++;
    }
    /* The mutations reach every answer, or this test would say little. */
    for (unsigned i = 0; i < XML_FULL; i++)
        CHECK(outcomes[i] > ROUNDS / 500);
    CHECK(outcomes[XML_OK] > ROUNDS / 4);
    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t used = append(bytes, 0, HEADER);
        for (size_t count = 1 + below(3); count > 0; count--)
            used = append(bytes, used, seeds[below(sizeof(seeds) / sizeof(seeds[0]))]);
        used = append(bytes, used, "\n</s:stream>");
        for (size_t times = below(4); times > 0; times--)
            used = mutate(bytes, used);
        oracle_compare_stream(span_of(bytes, used));
    }
    printf("answers:");
    for (unsigned i = 0; i < XML_FULL; i++)
        printf(" %u", outcomes[i]);
    printf("\n");
    return test_end();
}
