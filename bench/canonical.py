"""
Canonical correlations of pairs with a ridge, beside method cross: nothing of the
extension is used.  Reads lines "id, pair or not, vector, sparse vector" from standard
input, as bench/held.sh writes them; rows with a number that 10 divides ask.  Prints the
share of partners among the nearest hundredth, there and back, for several ridges.
Needs numpy.
"""
import sys
import numpy as np

FEATURES, BITS, RIDGES = 512, 128, (1.0, 3.0, 10.0)
ids, paired, dense, sparse = [], [], [], []
draw = np.random.RandomState(1)
place, sign = draw.randint(0, FEATURES, 30000), draw.choice([-1.0, 1.0], 30000)
for line in sys.stdin:
    number, pair, x, y = line.rstrip('\n').split('\t')
    row = np.zeros(FEATURES)
    for entry in filter(None, y[1:y.index('}')].split(',')):
        index, weight = entry.split(':')
        row[place[int(index) - 1]] += sign[int(index) - 1] * float(weight)
    ids.append(int(number))
    paired.append(pair == 't')
    dense.append(np.array(x.split(), dtype=float))
    sparse.append(row)
ids, paired = np.array(ids), np.array(paired)
learnt, asked = paired & (ids % 10 != 0), ids % 10 == 0
sides = [v - v[learnt].mean(0) for v in (np.array(dense), np.array(sparse))]


def found(a, b):
    hits = []
    some = np.where(ids[asked] % 20 == 0)[0]
    for p, q in ((a, b), (b, a)):
        score = p[some] @ q.T
        own = score[np.arange(len(some)), some][:, None]
        hits.append(1 + (score > own).sum(1) + ((score == own).sum(1) - 1) / 2 <= len(q) / 100)
    hits = np.concatenate(hits)
    return '%.3f +-%.4f' % (hits.mean(), hits.std() / np.sqrt(len(hits)))


turn = np.linalg.qr(draw.randn(BITS, BITS))[0]
for ridge in RIDGES:
    whiten, of = [], [v[learnt] for v in sides]
    for v in of:
        cov = v.T @ v / len(v)
        cov += ridge * np.trace(cov) / len(cov) * np.eye(len(cov))
        whiten.append(np.linalg.inv(np.linalg.cholesky(cov)).T)
    u, s, v = np.linalg.svd(whiten[0].T @ of[0].T @ of[1] / learnt.sum() @ whiten[1])
    s = np.minimum(s[:BITS], 0.999)
    weight = np.sqrt(s / (1 - s * s))
    out = [side[asked] @ w @ d[:, :BITS] * weight for side, w, d in zip(sides, whiten, (u, v.T))]
    unit = [o / (np.linalg.norm(o, axis=1)[:, None] + 1e-12) for o in out]
    signs = [np.sign(o @ turn) for o in out]
    print('numpy, correlations, ridge %g: signs of %d' % (ridge, BITS), found(*signs), ' floats by cosine', found(*unit))
