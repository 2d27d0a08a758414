#include "tools/vit-search/lbfgs.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <deque>
#include <numeric>
#include <utility>

namespace vit::search {

namespace {

constexpr std::size_t most_pairs = 10;
constexpr int most_steps = 5000, most_halvings = 40;
constexpr double sufficient = 1e-4;  // the part of the predicted descent that a step must reach

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

double largest(const Vector& a) {
    double most = 0;
    for (const double x : a) most = std::max(most, std::abs(x));
    return most;
}

void add(Vector& a, double factor, const Vector& b) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] += factor * b[i];
}

Vector difference(const Vector& a, const Vector& b) {
    Vector result = a;
    add(result, -1, b);
    return result;
}

/// A step, the change of the gradient along it, and 1 / (step · change).
struct Pair {
    Vector step, change;
    double rho = 0;
};

/// - H g, where H approximates the inverse of the second derivative.
Vector direction(const std::deque<Pair>& pairs, const Vector& gradient) {
    Vector d = gradient;
    Vector alphas(pairs.size());
    for (std::size_t i = pairs.size(); i-- > 0;) {
        alphas[i] = pairs[i].rho * dot(pairs[i].step, d);
        add(d, -alphas[i], pairs[i].change);
    }
    const double scale =
        pairs.empty() ? 1 / std::sqrt(dot(gradient, gradient))
                      : 1 / (pairs.back().rho * dot(pairs.back().change, pairs.back().change));
    for (double& each : d) each *= scale;
    for (std::size_t i = 0; i < pairs.size(); ++i)
        add(d, alphas[i] - pairs[i].rho * dot(pairs[i].change, d), pairs[i].step);
    for (double& each : d) each = -each;
    return d;
}

}  // namespace

std::vector<double> minimise(const Objective& f, std::vector<double> x, double tolerance) {
    Vector gradient(x.size()), next_gradient(x.size());
    double value = f(x, gradient);
    std::deque<Pair> pairs;
    for (int step = 0; step < most_steps && largest(gradient) > tolerance; ++step) {
        const Vector d = direction(pairs, gradient);
        const double slope = dot(d, gradient);
        double length = 1, next_value = 0;
        Vector next;
        int halvings = 0;
        for (; halvings < most_halvings; ++halvings, length /= 2) {
            next = x;
            add(next, length, d);
            next_value = f(next, next_gradient);
            if (next_value <= value + sufficient * length * slope) break;
        }
        if (halvings == most_halvings) break;
        Pair pair{difference(next, x), difference(next_gradient, gradient), 0};
        x = std::move(next);
        std::swap(gradient, next_gradient);
        value = next_value;
        const double curvature = dot(pair.step, pair.change);
        if (!(curvature > 0)) continue;
        pair.rho = 1 / curvature;
        pairs.push_back(std::move(pair));
        if (pairs.size() > most_pairs) pairs.pop_front();
    }
    return x;
}

}  // namespace vit::search
