// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title A sum tree of weights that remembers the last epochs, and draws leaves by weight
/// @dev Six children a node, six levels of nodes above 46,656 leaves. The root is node 0, the children of node p are 6p + 1
/// to 6p + 6; leaf i would be node 9,331 + i. A node is one word: six sums of 36 bits, lowest first the first child's; above
/// them a number of 5 bits that counts the node's versions, and the epoch (35 bits) in which this one was written.
/// A change counts from the epoch after it. Of each node the versions of the last 32 epochs in which it changed are kept;
/// a version that more than 24 epochs have followed is never asked for.
library StakeTree {
    uint256 internal constant LEAVES = 46_656;
    uint256 internal constant WINDOW = 24; // epochs that can be looked back
    uint256 internal constant MAX_TOTAL = (1 << 36) - 1;

    uint256 private constant CHILDREN = 6;
    uint256 private constant LEVELS = 6;
    uint256 private constant FIRST_LEAF = 9_331; // nodes above the leaves
    uint256 private constant SUM_BITS = 36;
    uint256 private constant SUM = (1 << SUM_BITS) - 1;
    uint256 private constant SUMS = (1 << (CHILDREN * SUM_BITS)) - 1;
    uint256 private constant VERSION_AT = 216;
    uint256 private constant VERSIONS = 32; // a power of two
    uint256 private constant EPOCH_AT = 221;
    uint256 private constant OLDEST = WINDOW + 1; // of the versions that can be asked for, counted from the newest

    struct Tree {
        uint256[FIRST_LEAF] nodes; // the newest version of each
        uint256[FIRST_LEAF * VERSIONS] former; // of each node a ring of the versions before it
    }

    /// @dev What was drawn of a tree so far: intervals of weight, ascending.
    struct Drawn {
        uint256 before; // the tree as it was before this epoch
        uint256 left; // weight that was not drawn yet
        uint256 count;
        uint256[] starts;
        uint256[] weights;
    }

    /// @dev Reverts nothing: whoever calls it does, where the total is above `MAX_TOTAL`.
    /// @return total of all weights
    function set(Tree storage tree, uint256 leaf, uint256 weight, uint256 epoch) internal returns (uint256 total) {
        uint256 former = weightOf(tree, leaf);
        uint256 node = FIRST_LEAF + leaf;
        uint256 word;
        while (node > 0) {
            uint256 at = SUM_BITS * ((node - 1) % CHILDREN);
            node = (node - 1) / CHILDREN;
            word = tree.nodes[node];
            if (word >> EPOCH_AT != epoch) {
                uint256 version = (word >> VERSION_AT) % VERSIONS;
                if (word != 0) tree.former[node * VERSIONS + version] = word;
                word = (word & SUMS) | (((version + 1) % VERSIONS) << VERSION_AT) | (epoch << EPOCH_AT);
            }
            // Every sum is at most the total.
            tree.nodes[node] = word + (weight << at) - (former << at);
        }
        return _total(word) - former + weight;
    }

    /// @return weight of a leaf now, whether it counts already or not
    function weightOf(Tree storage tree, uint256 leaf) internal view returns (uint256 weight) {
        uint256 above = FIRST_LEAF + leaf - 1;
        return (tree.nodes[above / CHILDREN] >> (SUM_BITS * (above % CHILDREN))) & SUM;
    }

    /// @param before an epoch, at most `WINDOW` ago
    /// @return total of all weights as they were before that epoch
    function totalBefore(Tree storage tree, uint256 before) internal view returns (uint256 total) {
        return _total(_nodeBefore(tree, 0, before));
    }

    /// @param most leaves that may be drawn
    function begin(Tree storage tree, uint256 before, uint256 most) internal view returns (Drawn memory drawn) {
        return Drawn(before, totalBefore(tree, before), 0, new uint256[](most), new uint256[](most));
    }

    /// @notice Draws one more leaf, by weight, among those that were not drawn yet; some weight must be left.
    /// @param number that nobody could choose
    function next(Tree storage tree, Drawn memory drawn, uint256 number) internal view returns (uint256 leaf) {
        (uint256[] memory starts, uint256[] memory weights) = (drawn.starts, drawn.weights);
        uint256 point = number % drawn.left;
        uint256 place;
        for (; place < drawn.count && point >= starts[place]; ++place) point += weights[place];

        uint256 start;
        uint256 weight;
        (leaf, start, weight) = _find(tree, point, drawn.before);
        for (uint256 i = drawn.count; i > place; --i) (starts[i], weights[i]) = (starts[i - 1], weights[i - 1]);
        (starts[place], weights[place]) = (start, weight);
        drawn.left -= weight;
        ++drawn.count;
    }

    /// @param point below the total
    function _find(
        Tree storage tree,
        uint256 point,
        uint256 before
    ) private view returns (uint256 leaf, uint256 start, uint256 weight) {
        uint256 node;
        for (uint256 level = 0; level < LEVELS; ++level) {
            uint256 word = _nodeBefore(tree, node, before);
            node = CHILDREN * node + 1;
            unchecked {
                weight = word & SUM;
                while (point >= start + weight) {
                    start += weight;
                    word >>= SUM_BITS;
                    weight = word & SUM;
                    ++node;
                }
            }
        }
        leaf = node - FIRST_LEAF;
    }

    /// @dev Newest version first, then in steps three times as long each, then halving. A slot of the ring that was never
    /// written is the node as it was at first.
    function _nodeBefore(Tree storage tree, uint256 node, uint256 before) private view returns (uint256 word) {
        word = tree.nodes[node];
        if (word >> EPOCH_AT < before) return word;

        uint256 newest = (word >> VERSION_AT) + VERSIONS; // in its low bits
        uint256 tooNew;
        uint256 old = 1;
        while (true) {
            word = _former(tree, node, newest - old);
            if (word >> EPOCH_AT < before || old == OLDEST) break;
            tooNew = old;
            old = 3 * old < OLDEST ? 3 * old : OLDEST;
        }
        while (old - tooNew > 1) {
            uint256 middle = (tooNew + old) / 2;
            uint256 between = _former(tree, node, newest - middle);
            if (between >> EPOCH_AT < before) (word, old) = (between, middle);
            else tooNew = middle;
        }
    }

    function _former(Tree storage tree, uint256 node, uint256 version) private view returns (uint256) {
        return tree.former[node * VERSIONS + (version % VERSIONS)];
    }

    function _total(uint256 word) private pure returns (uint256 total) {
        for (uint256 i = 0; i < CHILDREN; ++i) {
            total += word & SUM;
            word >>= SUM_BITS;
        }
    }
}
