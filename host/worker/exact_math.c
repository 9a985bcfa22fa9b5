// exact_math.c — textbook series after reducing the argument to where few terms suffice.
#include "worker/exact_math.h"
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include "worker/luauser.h"

#define LN2_HIGH 0x1.62e42feep-1             // ln 2 in two parts: k * LN2_HIGH is exact for every exponent k
#define LN2_LOW  0x1.a39ef35793c76p-33
#define PI_HALF_HIGH 0x1.921fb544p+0
#define PI_HALF_LOW  0x1.0b4611a626331p-34
#define PI 3.141592653589793

double exact_exp(double x)
{
    if (isnan(x) || x > 710) return isnan(x) ? x : INFINITY;
    if (x < -746) return 0;
    double k = floor(x * 1.4426950408889634 + 0.5), r = x - k * LN2_HIGH - k * LN2_LOW;
    double sum = 1;
    for (int n = 16; n >= 1; n--) sum = 1 + sum * r / n;
    return ldexp(sum, (int)k);
}

double exact_log(double x)
{
    if (isnan(x) || x < 0) return NAN;
    if (x == 0) return -INFINITY;
    if (isinf(x)) return x;
    int e;
    double m = frexp(x, &e);
    if (m < 0.7071067811865476) m *= 2, e--;
    double s = (m - 1) / (m + 1), s2 = s * s, sum = 0;
    for (int n = 25; n >= 1; n -= 2) sum = sum * s2 + 1.0 / n;
    return e * LN2_HIGH + (2 * s * sum + e * LN2_LOW);
}

static double sin_series(double r)
{
    double sum = 0, r2 = r * r;
    for (int n = 19; n >= 3; n -= 2) sum = (1 + sum) * -r2 / (n * (n - 1));
    return r + r * sum;
}

static double cos_series(double r)
{
    double sum = 0, r2 = r * r;
    for (int n = 20; n >= 2; n -= 2) sum = (1 + sum) * -r2 / (n * (n - 1));
    return 1 + sum;
}

// The angle within an eighth of a turn around a multiple of a quarter turn; *quarter is that multiple, 0 to 3.
static double angle_reduce(double x, int *quarter)
{
    double k = floor(x / (PI / 2) + 0.5);
    *quarter = (int)(k - 4 * floor(k / 4));
    return x - k * PI_HALF_HIGH - k * PI_HALF_LOW;
}

static double sin_from(double x, int ahead)
{
    if (!(fabs(x) <= 1e15)) return NAN;
    int quarter;
    double r = angle_reduce(x, &quarter);
    switch ((quarter + ahead) & 3) {
    case 0:  return sin_series(r);
    case 1:  return cos_series(r);
    case 2:  return -sin_series(r);
    default: return -cos_series(r);
    }
}

double exact_sin(double x) { return x == 0 ? x : sin_from(x, 0); }
double exact_cos(double x) { return sin_from(x, 1); }

static double atan_unit(double t)            // 0 <= t <= 1
{
    double add = 0;
    for (int halvings = 0; halvings < 2; halvings++) {    // atan t = 2 atan(t / (1 + sqrt(1 + t^2)))
        t = t / (1 + sqrt(1 + t * t));
        add++;
    }
    double sum = 0, t2 = t * t;
    for (int n = 27; n >= 1; n -= 2) sum = 1.0 / n - sum * t2;
    return ldexp(t * sum, (int)add);
}

double exact_atan2(double y, double x)
{
    if (isnan(x) || isnan(y)) return NAN;
    double ay = fabs(y), ax = fabs(x), a;
    if (ay == 0) a = 0;
    else if (isinf(ay) && isinf(ax)) a = PI / 4;
    else a = ay <= ax ? atan_unit(ay / ax) : PI / 2 - atan_unit(ax / ay);
    if (signbit(x)) a = PI - a;
    return copysign(a, y);
}

static double pow_whole(double base, double exponent)
{
    double result = 1;
    for (uint64_t n = (uint64_t)fabs(exponent); n; n >>= 1) {
        if (n & 1) result *= base;
        base *= base;
    }
    return exponent < 0 ? 1 / result : result;
}

double exact_pow(double base, double exponent)
{
    if (exponent == 0 || base == 1) return 1;
    if (isnan(base) || isnan(exponent)) return NAN;
    double size = fabs(base);
    if (isinf(exponent)) return size == 1 ? 1 : (size > 1) == (exponent > 0) ? INFINITY : 0;
    bool whole = exponent == floor(exponent), odd = whole && fmod(exponent, 2) != 0;
    if (whole && fabs(exponent) <= 1024) return pow_whole(base, exponent);
    if (base < 0 && !whole) return NAN;
    double result;
    if (size == 0) result = exponent > 0 ? 0 : INFINITY;
    else if (isinf(size)) result = exponent > 0 ? INFINITY : 0;
    else if (exponent * 2 == floor(exponent * 2) && fabs(exponent) <= 512) result = pow_whole(sqrt(size), exponent * 2);
    else result = exact_exp(exponent * exact_log(size));
    return odd && signbit(base) ? -result : result;
}

double frond_lua_pow(double base, double exponent)    // Lua's ^ operator, in every state
{
    return exponent == 2 ? base * base : exact_pow(base, exponent);
}
