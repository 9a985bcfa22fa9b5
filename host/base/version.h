// version.h — which Frond this is: said by `frond version`, /healthz and nobody else.
#pragma once
#define FROND_VERSION "0.1.0"
