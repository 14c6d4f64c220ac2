/* `fusion fuse` by way of libfusion, with what the bench chooses:
 *
 *     fuse OUT FORMAT DURABILITY SOURCE...
 */
#include <fusion.h>

#include <stdio.h>

int main(int count, char **arguments)
{
    if (count < 5) {
        fprintf(stderr, "usage: %s OUT FORMAT DURABILITY SOURCE...\n", arguments[0]);
        return 2;
    }
    fusion_options *options = fusion_options_new();
    fusion_report *report = NULL;
    fusion_error *error = NULL;
    fusion_status status = fusion_options_set(options, "format", arguments[2], &error);
    if (status == FUSION_STATUS_OK)
        status = fusion_options_set(options, "durability", arguments[3], &error);
    if (status == FUSION_STATUS_OK)
        status = fusion_fuse((const char *const *)arguments + 4, (size_t)count - 4, arguments[1],
                             options, &report, &error);
    if (status != FUSION_STATUS_OK)
        fprintf(stderr, "error: %s\n", fusion_error_message(error));
    fusion_error_free(error);
    fusion_report_free(report);
    fusion_options_free(options);
    return status == FUSION_STATUS_OK ? 0 : 1;
}
