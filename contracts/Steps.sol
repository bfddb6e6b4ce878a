// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CycleId, JobId, JobTerms, Phase} from "./interfaces/IFederation.sol";
import {IVault} from "./interfaces/IVault.sol";
import {Jobs} from "./Jobs.sol";
import {Board, Boards} from "./libraries/Boards.sol";
import {Cycles} from "./libraries/Cycles.sol";
import {Refusals} from "./libraries/Refusals.sol";
import {UntrustedCalls} from "./libraries/UntrustedCalls.sol";
import {Votes} from "./libraries/Votes.sol";
import {Terms} from "./Terms.sol";
import {Vault} from "./Vault.sol";

/// @title The steps that the story of a job is made of
abstract contract Steps is Jobs {
    using Boards for Board;
    using Boards for uint24;
    using Cycles for CycleId;
    using Terms for JobTerms;
    using Votes for uint256;

    struct Tally {
        uint24 matched; // bitmap of the seats that voted the result
        uint240 counts; // the same as counts of one, 10 bits for each seat
        int64 metric; // the lower median of what these measured
        bytes32 words; // hash of the words of all that voted, 32 bytes each, 0 for other seats
    }

    IVault public immutable vault;

    constructor() {
        vault = new Vault();
    }

    function _setEnrolEnd(Job storage live, uint256 time) internal {
        live.since = uint32(time);
        live.openedAt = uint32(time);
    }

    /// @dev A chain without RANDAO has a difficulty there, a constant, or 0.
    /// @return prevrandao, or the parent's block hash in its place; not both: whoever builds the parent would grind them
    function _randomness() internal view returns (bytes32) {
        uint256 randao = block.prevrandao;
        return randao > type(uint64).max ? bytes32(randao) : blockhash(block.number - 1);
    }

    /// @dev The randomness is younger than every sheet: neither their order nor leaving one out chooses a committee.
    function _open(
        JobId job,
        Job storage live,
        JobTerms storage terms,
        bytes32 randomness
    ) internal returns (CycleId cycle) {
        bytes32 draw = keccak256(
            abi.encode(block.chainid, address(this), job, live.sheets, live.attempt.updates, randomness)
        );
        uint256 counter = live.attempt.cycle.counter() + 1;
        address[] memory committee = _keepsCommittee(live, terms)
            ? _committeeOf(live, terms.seats)
            : UntrustedCalls.select(terms.committee, job, counter, draw, live.openedAt, terms.seats);
        bytes32[] memory keys = _keysOf(committee);
        bytes32 seed = _link(live, keccak256(abi.encode(draw, committee, keys)));
        bool everybody = live.rejoining || _isAfresh(live) || _dueAreTooFew(live, terms);
        cycle = Cycles.make(seed, counter, everybody);
        _begin(job, live, terms, cycle, seed, committee);

        emit CycleOpened(job, cycle, live.round, randomness, seed, committee, keys);
    }

    function _begin(
        JobId job,
        Job storage live,
        JobTerms storage terms,
        CycleId cycle,
        bytes32 seed,
        address[] memory committee
    ) private {
        bool everybody = cycle.everybody();
        uint24 due = _seat(job, committee);
        if (everybody) due = uint24((1 << committee.length) - 1);
        live.board = Boards.open(due, terms);
        live.attempt = Attempt({
            updates: uint128(uint256(seed)) | 1,
            cycle: cycle,
            deadline: uint32(block.timestamp + terms.submitTime),
            submitted: 0,
            pending: everybody ? live.enrolled : live.attempt.submitted
        });
        live.sheets = seed;
        live.underway = true;
        live.rejoining = false;
        ++live.attempts;
        live.openedAt = uint32(block.timestamp);
    }

    function _keysOf(address[] memory accounts) private view returns (bytes32[] memory keys) {
        keys = new bytes32[](accounts.length);
        for (uint256 i = 0; i < accounts.length; ++i) keys[i] = keyOf[accounts[i]];
    }

    /// @dev One link more of the chain that proves a job. What is hashed into `payload` has 2, 4, 8 or 5 + 2·seats
    /// words: it can be read as one kind of link only.
    function _link(Job storage live, bytes32 payload) internal returns (bytes32 history) {
        history = keccak256(abi.encode(live.history, payload));
        live.history = history;
    }

    /// @return whether this is the first cycle, or something has failed since the last finalised one
    function _isAfresh(Job storage live) internal view returns (bool) {
        return live.failures > 0 || live.attempt.cycle.counter() == 0;
    }

    /// @return whether ATTEST or RELEASE could close early below its minimum, if it waited for no more members than
    /// voted in the last cycle
    function _dueAreTooFew(Job storage live, JobTerms storage terms) internal view returns (bool) {
        bool sharing = terms.attestTime > 0 || terms.releaseTime > 0;
        return sharing && live.board.acted(Phase.VOTE).count() < terms.threshold;
    }

    /// @dev Gives each seat to its member, books what a replaced one has earned.
    /// @return due bitmap of the seats that voted in the last cycle, or are new to their member
    function _seat(JobId job, address[] memory committee) internal returns (uint24 due) {
        Job storage live = _jobs[job];
        due = live.board.acted(Phase.VOTE);
        for (uint256 seat = 0; seat < committee.length; ++seat) {
            address former = live.seats[seat].member;
            if (former == committee[seat]) continue;
            live.seats[seat].member = committee[seat];
            due |= uint24(1 << seat);
            if (former != address(0)) _bookFees(job, seat, former);
        }
    }

    /// @dev What every step of a member has in common: cycle, phase, seat, once; and the early close.
    function _act(JobId job, CycleId cycle, uint8 seat, Phase phase) internal returns (Job storage live) {
        live = _jobs[job];
        _requireCycle(job, live.attempt.cycle, cycle);
        (Phase actual, , uint256 end) = _cycleClock(job, block.timestamp);
        if (actual != phase) {
            revert Refusals.Federation_WrongPhase(job, phase, phaseAt(job, block.timestamp));
        }
        if (live.seats[seat].member != msg.sender) revert Refusals.Federation_NotSeated(job, seat, msg.sender);
        Board board = live.board;
        if (board.acted(phase).has(seat)) revert Refusals.Federation_AlreadyActed(job, cycle, seat);
        uint24 awaited = board.awaited(phase);
        if (phase == Phase.REVEAL && !awaited.has(seat)) revert Refusals.Federation_NotCommitted(job, cycle, seat);
        if (phase == Phase.VOTE && !awaited.has(seat)) revert Refusals.Federation_NotRevealed(job, cycle, seat);

        board = board.mark(phase, seat);
        if (awaited & ~board.acted(phase) == 0) {
            uint256 start = end - board.span(phase);
            board = board.close(phase, block.timestamp - start);
        }
        live.board = board;
    }

    /// @return tally of a result that a quorum at least has voted
    function _count(JobId job, CycleId cycle, bytes32 resultHash) internal view returns (Tally memory tally) {
        Job storage live = _jobs[job];
        uint256 seats = _terms[job].seats;
        uint24 voted = live.board.acted(Phase.VOTE);
        uint256[] memory words = new uint256[](seats);
        int64[] memory metrics = new int64[](seats); // ascending
        uint256 number;
        for (uint256 seat = 0; seat < seats; ++seat) {
            if (!voted.has(seat)) continue;
            uint256 word = live.seats[seat].vote;
            words[seat] = word;
            if (!word.isFor(resultHash, seat)) continue;

            tally.matched |= uint24(1 << seat);
            tally.counts |= uint240(1 << (10 * seat));
            int64 metric = word.metricOf();
            uint256 place = number++;
            unchecked {
                for (; place > 0; --place) {
                    int64 lower = metrics[place - 1];
                    if (lower <= metric) break;
                    metrics[place] = lower;
                }
            }
            metrics[place] = metric;
        }
        uint256 quorum = _terms[job].quorum;
        if (number < quorum) revert Refusals.Federation_NoQuorum(job, cycle, number, quorum);

        tally.metric = metrics[(number - 1) / 2];
        tally.words = keccak256(abi.encodePacked(words));
    }

    /// @return last whether the rounds, the target or the patience are used up
    function _advance(JobId job, bytes32 resultHash, Tally memory tally) internal returns (bool last) {
        Job storage live = _jobs[job];
        JobTerms storage terms = _terms[job];
        _link(
            live,
            keccak256(abi.encode(resultHash, live.board.bitmaps(), tally.words, uint32(block.timestamp)))
        );
        int64 metric = tally.metric;
        live.matched += tally.counts;
        ++live.round;
        live.failures = 0;
        live.attempts = 0;
        bool better = metric > live.bestMetric;
        live.stale = better ? 0 : live.stale + 1;
        if (better) live.bestMetric = metric;

        return
            live.round > terms.maxRounds ||
            metric >= terms.targetMetric ||
            (terms.patience > 0 && live.stale >= terms.patience);
    }

    /// @param words hash of the votes where the committee agreed that nothing could be aggregated, else 0
    function _fail(JobId job, Phase reached, uint256 burn, bytes32 words) internal {
        Job storage live = _jobs[job];
        bytes memory payload = abi.encode(
            live.attempt.cycle,
            live.attempt.updates,
            live.sheets,
            live.board.bitmaps(),
            words,
            reached,
            burn,
            uint32(block.timestamp)
        );
        _recordFailure(job, reached, burn, keccak256(payload));
    }

    /// @dev An OPEN that nobody used.
    function _lapse(JobId job) internal {
        _recordFailure(job, Phase.OPEN, 0, keccak256(abi.encode(Phase.OPEN, uint32(block.timestamp))));
    }

    function _recordFailure(JobId job, Phase reached, uint256 burn, bytes32 payload) private {
        Job storage live = _jobs[job];
        _link(live, payload);
        uint8 failures = ++live.failures;

        emit CycleFailed(job, live.attempt.cycle, reached, failures, burn, uint32(block.timestamp));

        // Before a cycle a full round was left.
        uint256 left = burn > 0 ? vault.burn(job, burn) : type(uint256).max;
        if (failures >= _terms[job].maxFailures) _end(job, Phase.ABORTED);
        else _next(job, false, left);
    }

    /// @dev After a cycle, or an OPEN, that is over.
    function _next(JobId job, bool last, uint256 left) internal {
        Job storage live = _jobs[job];
        if (last || live.stopping || left < _terms[job].fullRound()) {
            _finish(job);
            return;
        }

        live.underway = false;
        live.since = uint32(block.timestamp);
    }

    function _finish(JobId job) internal {
        _end(job, _jobs[job].round > 1 ? Phase.COMPLETED : Phase.ABORTED);
    }

    function _end(JobId job, Phase outcome) internal {
        Job storage live = _jobs[job];
        JobTerms storage terms = _terms[job];
        live.outcome = outcome;
        live.underway = false;
        live.since = uint32(block.timestamp);

        emit JobEnded(job, outcome);

        vault.close(job, terms.claimTime, live.round > 1 ? terms.slashTime : 0);
    }

    /// @dev Moves what a seat has counted for its member to the vault.
    function _bookFees(JobId job, uint256 seat, address member) internal {
        Job storage live = _jobs[job];
        uint256 matched = _matched(live, seat);
        if (matched == 0) return;

        live.matched -= uint240(matched << (10 * seat));
        vault.bookFees(job, member, matched * _terms[job].feePerSeat);
    }

    /// @return whether `account` is a trainer or member that the last opened cycle did not wait for, and did not hear
    function _isAbsent(JobId job, CycleId cycle, address account) internal view returns (bool) {
        Job storage live = _jobs[job];
        Enrolment storage enrolment = live.trainers[account];
        if (enrolment.enrolled && enrolment.counter + 1 < cycle.counter()) return true;

        uint24 awaited = live.board.due() | live.board.acted(Phase.VOTE);
        uint256 seats = _terms[job].seats;
        for (uint256 seat = 0; seat < seats; ++seat) {
            if (live.seats[seat].member == account) return !awaited.has(seat);
        }
        return false;
    }

    function _requireCycle(JobId job, CycleId expected, CycleId actual) internal pure {
        if (!actual.isSame(expected)) revert Refusals.Federation_WrongCycle(job, expected, actual);
    }

    function _requireLength(JobId job, uint256 expected, uint256 actual) internal pure {
        if (actual != expected) revert Refusals.Federation_WrongLength(job, expected, actual);
    }
}
