// device.c — the words to look for. Order matters: programs pretend to be their ancestors, so the youngest come first.
#include "player/device.h"
#include <stdio.h>
#include <string.h>
#include "base/limits.h"

struct word { const char *inside, *name; };
static const struct word systems[] = {
    { "iPhone", "iPhone" }, { "iPad", "iPad" }, { "Android", "Android" }, { "Windows", "Windows" }, { "Macintosh", "macOS" }, { "CrOS", "ChromeOS" }, { "Linux", "Linux" },
};
static const struct word programs[] = {
    { "Telegram", "Telegram" }, { "Edg", "Edge" }, { "OPR/", "Opera" }, { "SamsungBrowser", "Samsung" }, { "Firefox/", "Firefox" }, { "FxiOS/", "Firefox" },
    { "Chrome/", "Chrome" }, { "CriOS/", "Chrome" }, { "Safari/", "Safari" },
};

static const char *find(const struct word *words, size_t count, const char *agent, size_t len)
{
    for (size_t i = 0; i < count; i++) if (memmem(agent, len, words[i].inside, strlen(words[i].inside))) return words[i].name;
    return "";
}

void device_name(const char *agent, size_t len, char out[DEVICE_BYTES])
{
    if (!agent || len == 0) agent = "", len = 0;         // a header that is not there
    if (len > USER_AGENT_BYTES_MAX) len = USER_AGENT_BYTES_MAX;
    const char *system = find(systems, sizeof systems / sizeof systems[0], agent, len), *program = find(programs, sizeof programs / sizeof programs[0], agent, len);
    snprintf(out, DEVICE_BYTES, "%s%s%s", system, *system && *program ? ", " : "", program);
}
