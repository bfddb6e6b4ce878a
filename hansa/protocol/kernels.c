/* Blocks of a mean, of a trimmed mean, and of the dot products of updates: the same bits as the numpy versions in kernels.py, which says why no
   sum here leaves its type. Compiled at first use, without -ffast-math and without contraction. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#define COLUMNS 256 /* at a time: everything stays in the first cache */

/* Whether a value may have to be clamped or made zero: more than 2**64, or no zero and at most 2**-126. */
static inline uint32_t doubtful(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits &= INT32_MAX;
    return (bits - 1 < 0x00800000) | (bits > 0x5f800000);
}

/* w' of `count` values: the one rounding step (exact.stepped) of exact integer sums; scale is 2**-k. A block without
   a doubtful value needs no more than its rounding; + 0 makes a zero of either sign +0. */
#define STEP(NAME, SUM)                                                                                                \
    static void NAME(const SUM *restrict sums, int64_t count, double scale, double divisor, const float *restrict w,   \
                     float *restrict out) {                                                                            \
        uint32_t doubt = 0;                                                                                            \
        for (int64_t j = 0; j < count; j++) {                                                                          \
            out[j] = (float)((double)w[j] + (double)sums[j] * scale / divisor) + 0.0f;                                 \
            doubt |= doubtful(out[j]);                                                                                 \
        }                                                                                                              \
        if (!doubt) return;                                                                                            \
        for (int64_t j = 0; j < count; j++) {                                                                          \
            double value = (double)w[j] + (double)sums[j] * scale / divisor;                                           \
            value = fabs(value) < 0x1p-126 ? 0.0 : value;                                                              \
            value = value > 0x1p64 ? 0x1p64 : value;                                                                   \
            value = value < -0x1p64 ? -0x1p64 : value;                                                                 \
            out[j] = (float)value;                                                                                     \
        }                                                                                                              \
    }

STEP(step_int32, int32_t)
STEP(step_double, double)

/* Weighted mean of n rows of `count` integers. Rows of one factor, side by side, are added up before it multiplies
   them: MOST of them surely fit SUM. Sums run in int32 over as many rows as surely fit, then in double. */
#define MEAN(NAME, ROW, SUM, LARGEST, MOST)                                                                            \
    static void NAME##_same(const ROW *const *rows, int64_t n, int64_t start, int64_t count, SUM *restrict sum) {      \
        int64_t i = 0;                                                                                                 \
        memset(sum, 0, COLUMNS * sizeof *sum);                                                                         \
        for (; i + 4 <= n; i += 4) {                                                                                   \
            const ROW *restrict a = rows[i] + start, *restrict b = rows[i + 1] + start;                                \
            const ROW *restrict c = rows[i + 2] + start, *restrict d = rows[i + 3] + start;                            \
            for (int64_t j = 0; j < count; j++) sum[j] += (SUM)(a[j] + b[j]) + (SUM)(c[j] + d[j]);                     \
        }                                                                                                              \
        for (; i < n; i++)                                                                                             \
            for (int64_t j = 0; j < count; j++) sum[j] += rows[i][start + j];                                          \
    }                                                                                                                  \
    static void NAME##_four(const ROW *const *rows, const int32_t *f, int64_t start, int64_t count,                    \
                            int32_t *restrict total) {                                                                 \
        const ROW *restrict a = rows[0] + start, *restrict b = rows[1] + start;                                        \
        const ROW *restrict c = rows[2] + start, *restrict d = rows[3] + start;                                        \
        const int32_t f0 = f[0], f1 = f[1], f2 = f[2], f3 = f[3];                                                      \
        for (int64_t j = 0; j < count; j++) total[j] += f0 * a[j] + f1 * b[j] + f2 * c[j] + f3 * d[j];                 \
    }                                                                                                                  \
    static int64_t NAME##_sum(const ROW *const *rows, const int32_t *factors, int64_t i, int64_t n, int64_t start,     \
                              int64_t count, int32_t *restrict total) {                                                \
        int64_t end = i, bound = 0;                                                                                    \
        while (end < n && bound + factors[end] * (int64_t)LARGEST <= INT32_MAX) bound += factors[end++] * (int64_t)LARGEST;\
        memset(total, 0, COLUMNS * sizeof *total);                                                                     \
        while (i < end) {                                                                                              \
            int64_t same = 1;                                                                                          \
            while (i + same < end && same < MOST && factors[i + same] == factors[i]) same++;                           \
            if (same < 4 && i + 4 <= end) {                                                                            \
                NAME##_four(rows + i, factors + i, start, count, total);                                               \
                i += 4;                                                                                                \
                continue;                                                                                              \
            }                                                                                                          \
            SUM sum[COLUMNS];                                                                                          \
            NAME##_same(rows + i, same, start, count, sum);                                                            \
            for (int64_t j = 0; j < COLUMNS; j++) total[j] += factors[i] * sum[j];                                     \
            i += same;                                                                                                 \
        }                                                                                                              \
        return end;                                                                                                    \
    }                                                                                                                  \
    void NAME(const ROW *const *rows, const int32_t *factors, int64_t n, int64_t count, double scale, double divisor,  \
              const float *w, float *out) {                                                                            \
        for (int64_t start = 0; start < count; start += COLUMNS) {                                                     \
            const int64_t here = count - start < COLUMNS ? count - start : COLUMNS;                                    \
            int32_t total[COLUMNS];                                                                                    \
            int64_t done = NAME##_sum(rows, factors, 0, n, start, here, total);                                        \
            if (done == n) {                                                                                           \
                step_int32(total, here, scale, divisor, w + start, out + start);                                       \
                continue;                                                                                              \
            }                                                                                                          \
            double sums[COLUMNS];                                                                                      \
            for (int64_t j = 0; j < COLUMNS; j++) sums[j] = total[j];                                                  \
            while (done < n) {                                                                                         \
                done = NAME##_sum(rows, factors, done, n, start, here, total);                                         \
                for (int64_t j = 0; j < COLUMNS; j++) sums[j] += total[j];                                             \
            }                                                                                                          \
            step_double(sums, here, scale, divisor, w + start, out + start);                                           \
        }                                                                                                              \
    }

MEAN(mean_int8, int8_t, int16_t, 128, 255)
MEAN(mean_int16, int16_t, int32_t, 32768, 65535)

/* Mean of what is left of each column of v = clip * row without the `trim` lowest and highest.
   near: for each row the m rows that are added up in its place (m = 0: none). pairs: a sorting network's comparators.
   scratch: n * COLUMNS values, twice that where m > 0. */
#define TRIMMED(NAME, ROW, VALUE, SUM, STEP)                                                                           \
    void NAME(const ROW *const *rows, const int32_t *clips, int64_t n, int64_t count, double scale, double divisor,    \
              const float *w, float *out, const int32_t *near, int64_t m, const int32_t *pairs, int64_t comparators,   \
              int64_t trim, VALUE *scratch) {                                                                          \
        for (int64_t start = 0; start < count; start += COLUMNS) {                                                     \
            const int64_t here = count - start < COLUMNS ? count - start : COLUMNS;                                    \
            VALUE *v = scratch;                                                                                        \
            if (here < COLUMNS) memset(v, 0, n * COLUMNS * sizeof *v);                                                 \
            for (int64_t i = 0; i < n; i++) {                                                                          \
                const VALUE clip = (VALUE)clips[i];                                                                    \
                const ROW *restrict row = rows[i] + start;                                                             \
                VALUE *restrict to = v + i * COLUMNS;                                                                  \
                for (int64_t j = 0; j < here; j++) to[j] = (VALUE)(clip * row[j]);                                     \
            }                                                                                                          \
            if (m) {                                                                                                   \
                VALUE *mixed = v + n * COLUMNS;                                                                        \
                memset(mixed, 0, n * COLUMNS * sizeof *v);                                                             \
                for (int64_t i = 0; i < n * m; i++) {                                                                  \
                    VALUE *restrict to = mixed + i / m * COLUMNS;                                                      \
                    const VALUE *restrict from = v + (int64_t)near[i] * COLUMNS;                                       \
                    for (int64_t j = 0; j < COLUMNS; j++) to[j] += from[j];                                            \
                }                                                                                                      \
                v = mixed;                                                                                             \
            }                                                                                                          \
            for (int64_t p = 0; p < comparators; p++) {                                                                \
                VALUE *restrict low = v + (int64_t)pairs[2 * p] * COLUMNS;                                             \
                VALUE *restrict high = v + (int64_t)pairs[2 * p + 1] * COLUMNS;                                        \
                for (int64_t j = 0; j < COLUMNS; j++) {                                                                \
                    const VALUE x = low[j], y = high[j];                                                               \
                    low[j] = x < y ? x : y;                                                                            \
                    high[j] = x < y ? y : x;                                                                           \
                }                                                                                                      \
            }                                                                                                          \
            SUM sums[COLUMNS] = {0};                                                                                   \
            for (int64_t i = trim; i < n - trim; i++) {                                                                \
                const VALUE *restrict from = v + i * COLUMNS;                                                          \
                for (int64_t j = 0; j < COLUMNS; j++) sums[j] += from[j];                                              \
            }                                                                                                          \
            STEP(sums, here, scale, divisor, w + start, out + start);                                                  \
        }                                                                                                              \
    }

TRIMMED(trimmed_int8_int16, int8_t, int16_t, int32_t, step_int32)
TRIMMED(trimmed_int8_int32, int8_t, int32_t, double, step_double)
TRIMMED(trimmed_int16_int32, int16_t, int32_t, double, step_double)

/* Adds to products[i * n + j], j <= i < n, the dot product of rows i and j: int32 over COLUMNS of them (at most
   2**14 * 256), then int64. scratch: n * COLUMNS values. */
void gram_int8(const int8_t *const *rows, int64_t n, int64_t count, int64_t *products, int16_t *scratch) {
    for (int64_t start = 0; start < count; start += COLUMNS) {
        const int64_t here = count - start < COLUMNS ? count - start : COLUMNS;
        if (here < COLUMNS) memset(scratch, 0, n * COLUMNS * sizeof *scratch);
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < here; j++) scratch[i * COLUMNS + j] = rows[i][start + j];
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j <= i; j++) {
                const int16_t *restrict a = scratch + i * COLUMNS, *restrict b = scratch + j * COLUMNS;
                int32_t sum = 0;
                for (int64_t x = 0; x < COLUMNS; x++) sum += a[x] * b[x];
                products[i * n + j] += sum;
            }
    }
}
