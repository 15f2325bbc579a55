// Reads compressed tables.
#include <zlib.h>
