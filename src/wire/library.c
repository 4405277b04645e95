/* library.c: see library.h. */
#include "wire/library.h"

#include <expat.h>

const char *xml_library(void)
{
    return XML_ExpatVersion();
}
