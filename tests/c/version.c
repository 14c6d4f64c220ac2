/* Header, library and the version given as the first argument (Cargo.toml's) agree. */
#include "check.h"

int main(int count, char **arguments)
{
    char text[64];
    CHECK(count == 2);
    snprintf(text, sizeof text, "%d.%d.%d", FUSION_VERSION_MAJOR, FUSION_VERSION_MINOR,
             FUSION_VERSION_PATCH);
    CHECK_TEXT(text, arguments[1]);
    CHECK_TEXT(FUSION_VERSION_STRING, arguments[1]);
    CHECK_TEXT(fusion_version_string(), arguments[1]);
    CHECK(fusion_version_number() == FUSION_VERSION_NUMBER);
    CHECK(FUSION_VERSION_NUMBER
          == FUSION_VERSION_MAJOR * 1000000 + FUSION_VERSION_MINOR * 1000 + FUSION_VERSION_PATCH);
    return 0;
}
