// A C++ program that includes the header and calls the library.
#include <fusion.h>

#include <string>

static int32_t go_on(const fusion_progress *progress, void *)
{
    return progress->size >= sizeof(fusion_progress) ? 0 : 1;
}

int main()
{
    fusion_options *options = fusion_options_new();
    fusion_options_set_progress(options, go_on, nullptr);
    fusion_error *error = nullptr;
    fusion_status status = fusion_options_set(options, "no-such-option", "1", &error);
    std::string name = fusion_status_name(status), message = fusion_error_message(error);
    fusion_error_free(error);
    fusion_options_free(options);
    bool right = name == "FUSION_STATUS_USAGE" && message.find("no-such-option") != message.npos;
    return right && fusion_version_number() == FUSION_VERSION_NUMBER ? 0 : 1;
}
