"""Runs drawn at random over everything that a run can be told."""

from hypothesis import strategies as st

from bilancio.model.parameters import BalancedParameters


@st.composite
def runs(draw, kinds=("ring", "passive", "active"), max_agents=12):
    """Return the fields of one valid run, small enough for the oracle."""
    what = draw(st.sampled_from(kinds))
    n = draw(st.integers(3, max_agents))
    fields = {
        "kind": "ring" if what == "ring" else "balanced",
        "n_agents": n,
        "kappa": draw(st.sampled_from([0.01, 0.1, 0.25, 0.5, 1, 2, 4])),
        "concentration": draw(st.sampled_from([0.1, 0.2, 0.5, 1, 1.5, 2, 5, 50])),
        "mu": draw(st.floats(0, 1)),
        "monotonicity": draw(st.sampled_from([-1, -0.5, 0, 0, 0, 0.25, 1])),
        "maturity_days": draw(st.integers(1, 30)),
        "seed": draw(st.integers(0, 10**12)),
        "default_handling": draw(st.sampled_from(["expel-agent"] * 5 + ["fail-fast"])),
        "rollover": draw(st.booleans()),
        "early_stop": draw(st.booleans()),
        "quiet_days": draw(st.integers(1, 6)),
    }
    total = draw(st.sampled_from([0.5, 10, 500, 777.77, 1000, 5000, 10**6]))
    fields |= draw(st.sampled_from([{"q_total": total}, {"q_per_agent": total / n}]))
    mode = draw(st.sampled_from(["uniform", "uniform", "single_at", "vector"]))
    fields["liquidity_mode"] = mode
    if mode == "single_at":
        fields["liquidity_agent"] = draw(st.integers(1, n))
    elif mode == "vector":
        weight = st.one_of(st.integers(1, 9), st.floats(0.1, 10))
        fields["liquidity_vector"] = draw(st.lists(weight, min_size=n, max_size=n))
    if what == "ring":
        return fields
    size = draw(st.sampled_from([1, 5, 7, 20, 50, 1000]))
    fields |= {
        "arm": what,
        "face_value": max(size, round(total / 2000)),
        "outside_mid_ratio": draw(st.one_of(st.sampled_from([0.75, 0.9, 1]), st.floats(0, 2))),
        "vbt_share": draw(st.sampled_from([0, 0.05, 0.25, 0.4, 1])),
        "dealer_share": draw(st.sampled_from([0, 0.05, 0.125, 0.3, 1])),
        "outside_depth": draw(st.sampled_from(["balance-sheet", "balance-sheet", "unlimited"])),
        "anchor_update": draw(st.booleans()),
        "horizon": draw(st.one_of(st.none(), st.integers(0, 40))),
        "phi_m": draw(st.sampled_from([0, 0.3, 1, 2.5])),
        "phi_o": draw(st.sampled_from([0, 0.3, 0.6, 2.5])),
    }
    if draw(st.booleans()):
        spread = st.sampled_from([0, 0.01, 0.2, 0.4, 1, 3])
        fields |= {name: draw(spread) for name in SPREADS}
    return fields


SPREADS = [name for name in BalancedParameters.model_fields if name.startswith("spread_")]
