// What of a decoding step is not a matrix product, for `decode_cpu.py`: DeltaNet's recurrence and attention, for the
// tokens of many sequences one after another. A span is (slot, first row, rows): rows of one sequence, in order.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

static inline float silu(float x) { return x / (1.0f + std::exp(-x)); }

constexpr int D = 64;  // width of a head, as in `config.py`'s larger form; the caller checks

extern "C" {

// mixed [rows, wide] is overwritten by its convolution; gates [rows, 2 hv] are b, a; out [rows, hv * D].
// conv [slots, wide, taps - 1] and state [slots * hv, D, D] belong to the slots; weight [wide, taps]; decay is -exp(A_log).
void deltanet(float* mixed, const float* gates, float* conv, float* state, const float* weight, const float* decay, const float* dt_bias,
              float* out, const long* spans, long count, int hk, int hv, int taps, float eps) {
  const int wide = (2 * hk + hv) * D, before = taps - 1, r = hv / hk;
  for (long s = 0; s < count; s++) {
    const long slot = spans[3 * s], first = spans[3 * s + 1], rows = spans[3 * s + 2];
    float* past = conv + slot * wide * before;
    for (long row = first; row < first + rows; row++) {
      float* y = mixed + row * wide;
      for (int c = 0; c < wide; c++) {
        float* p = past + c * before;
        const float* w = weight + c * taps;
        const float now = y[c];
        float sum = now * w[before];
        for (int j = 0; j < before; j++) sum += p[j] * w[j];
        for (int j = 0; j + 1 < before; j++) p[j] = p[j + 1];
        p[before - 1] = now;
        y[c] = sum;
      }
      for (int c = 0; c < wide; c++) y[c] = silu(y[c]);
      for (int h = 0; h < 2 * hk; h++) {
        float* part = y + h * D;
        float square = 0;
        for (int j = 0; j < D; j++) square += part[j] * part[j];
        const float scale = (h < hk ? 1.0f / std::sqrt((float)D) : 1.0f) / std::sqrt(square + eps);
        for (int j = 0; j < D; j++) part[j] *= scale;
      }
      for (int h = 0; h < hv; h++) {
        const float *q = y + (h / r) * D, *k = y + (hk + h / r) * D, *v = y + 2 * hk * D + h * D;
        float* S = state + (slot * hv + h) * D * D;
        float* o = out + (row * hv + h) * D;
        const float beta = 1.0f / (1.0f + std::exp(-gates[row * 2 * hv + h]));
        const float a = gates[row * 2 * hv + hv + h] + dt_bias[h];
        const float keep = std::exp(decay[h] * (a > 20 ? a : std::log1p(std::exp(a))));
        float read[D] = {0}, answer[D] = {0};
        for (int i = 0; i < D; i++)
          for (int j = 0; j < D; j++) {
            S[i * D + j] *= keep;
            read[j] += k[i] * S[i * D + j];
          }
        for (int j = 0; j < D; j++) read[j] = (v[j] - read[j]) * beta;
        for (int i = 0; i < D; i++)
          for (int j = 0; j < D; j++) {
            S[i * D + j] += k[i] * read[j];
            answer[j] += q[i] * S[i * D + j];
          }
        std::memcpy(o, answer, sizeof answer);
      }
    }
  }
}

// q [rows, hq, D] scaled, k and v [rows, D] of the one key head; keys [slots, D, context], values [slots, context, D];
// place [rows]: the position of each row in its sequence. out [rows, hq, D]. hq is a multiple of 4.
void attention(const float* q, const float* k, const float* v, float* keys, float* values, const long* place, float* out,
               const long* spans, long count, int hq, long context) {
  std::vector<float> scores(4 * (context + 16));
  for (long s = 0; s < count; s++) {
    const long slot = spans[3 * s], first = spans[3 * s + 1], rows = spans[3 * s + 2];
    float *K = keys + slot * D * context, *V = values + slot * context * D;
    for (long row = first; row < first + rows; row++) {
      for (int j = 0; j < D; j++) K[j * context + place[row]] = k[row * D + j];
      std::memcpy(V + place[row] * D, v + row * D, D * sizeof(float));
    }
    for (long row = first; row < first + rows; row++) {
      const long n = place[row] + 1;
      for (int h = 0; h < hq; h += 4) {
        const float* Q = q + (row * hq + h) * D;
        for (long p = 0; p < n; p += 16) {
          float sum[4][16] = {{0}};
          const long most = std::min(16l, context - p);
          if (most == 16)
            for (int j = 0; j < D; j++)
              for (int g = 0; g < 4; g++)
                for (int i = 0; i < 16; i++) sum[g][i] += Q[g * D + j] * K[j * context + p + i];
          else
            for (int j = 0; j < D; j++)
              for (int g = 0; g < 4; g++)
                for (int i = 0; i < most; i++) sum[g][i] += Q[g * D + j] * K[j * context + p + i];
          for (int g = 0; g < 4; g++) std::memcpy(&scores[g * (context + 16) + p], sum[g], 16 * sizeof(float));
        }
        for (int g = 0; g < 4; g++) {
          float* w = &scores[g * (context + 16)];
          float most = w[0], total = 0, answer[D] = {0};
          for (long p = 0; p < n; p++) most = std::max(most, w[p]);
          for (long p = 0; p < n; p++) total += w[p] = std::exp(w[p] - most);
          for (long p = 0; p < n; p++)
            for (int j = 0; j < D; j++) answer[j] += w[p] * V[p * D + j];
          for (int j = 0; j < D; j++) out[(row * hq + h + g) * D + j] = answer[j] / total;
        }
      }
    }
  }
}
}
