// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IAdmission} from "./IAdmission.sol";
import {ICommittee} from "./ICommittee.sol";
import {IVault} from "./IVault.sol";

type JobId is uint256; // sequential from 1; 0 means none

/// @dev From the top: the low 40 bits of its seed, a 23-bit counter of the job's opened cycles (from 1), 1 bit "everybody due".
type CycleId is uint64;

/// @notice Where a job stands at a moment. LAPSED: a minimum was missed or time ran out, `failRound` is due.
enum Phase {
    NONE,
    ENROL,
    OPEN,
    SUBMIT,
    ATTEST,
    RELEASE,
    SCORE,
    REVEAL,
    VOTE,
    FINALIZE,
    LAPSED,
    COMPLETED,
    ABORTED,
    CANCELLED
}

/// @notice What the contract enforces in a job. Frozen by `post`; `enrol` names a hash of it, of escrow and sponsor:
/// keccak256(abi.encode(terms, escrow, sponsor)).
/// @dev Times are seconds; amounts are in the token's smallest unit.
struct JobTerms {
    IERC20 token; // reward, fees and bonds; must not charge transfer fees
    ICommittee committee;
    IAdmission admission;
    bool recheckAdmission; // ask the admission again at every submit
    bool keepCommittee; // a round's second opened cycle keeps the committee; not for drawn ones
    bytes32 spec; // sha2-256 digest of the job spec's CID
    bytes32 model; // sha2-256 digest of model 0's CID
    uint96 rewardPerRound;
    uint96 feePerSeat;
    uint96 minBond;
    uint96 strikePenalty;
    int64 targetMetric; // 1e-9; a metric at or above it ends the job
    uint32 enrolTime;
    uint32 openTime; // at least 2
    uint32 submitTime;
    uint32 attestTime; // 0: skipped
    uint32 releaseTime; // 0: skipped
    uint32 scoreTime;
    uint32 revealTime;
    uint32 voteTime;
    uint32 finalizeTime;
    uint32 claimTime;
    uint32 slashTime;
    uint16 maxTrainers;
    uint16 minUpdates;
    uint16 maxRounds;
    uint16 patience; // rounds without a better metric that end the job; 0: no limit
    uint16 failureBurn; // basis points of a full round, where the committee fails it
    uint8 maxFailures; // in a row
    uint8 seats;
    uint8 quorum; // seats that must agree; more than half
    uint8 threshold; // seats that must attest and release, where those phases are used
}

/// @notice What a cycle's vote is about. model 0 (then rewards 0 too): nothing could be aggregated, the cycle fails; that
/// burns like silence, but not in jobs with an ATTEST phase, where one trainer can cause it.
struct Result {
    bytes32 model;
    bytes32 rewards;
}

/// @notice Everything that a daemon needs to know what is due, in one call.
/// @dev Bitmaps: bit s is seat s. `deadline` is when `phase` ends if nobody acts (0 after the end).
struct JobState {
    Phase phase;
    address sponsor;
    CycleId cycle; // the last one opened; 0 before the first
    uint32 deadline;
    uint32 openedAt; // time when `cycle` opened
    uint32 endedAt; // 0 while the job runs
    uint16 round; // the round that is being attempted; finalised rounds + 1
    uint16 enrolled;
    uint16 submitted;
    uint16 pending; // due trainers that have not submitted
    uint16 stale; // finalised rounds since the best metric
    uint8 failures; // in a row
    bool stopping;
    bool rejoining; // everybody is due in the next cycle
    bool committeeKept; // the next `open` keeps the committee
    int64 bestMetric;
    uint24 due;
    uint24 attested;
    uint24 released;
    uint24 committed;
    uint24 revealed;
    uint24 voted;
    uint128 updates; // accumulator
    bytes32 sheets; // accumulator
    bytes32 history; // a chain from `termsHash` over each cycle's opening and end, and each lapsed OPEN
    address[] committee; // by seat, ascending; empty before the first cycle
    uint256[] matched; // rounds matched by seat since its present member took it
}

/// @title The life of a job: post, enrol, open, submit, (attest, release), score, reveal, vote, finalize, end
/// @notice Parties that don't trust each other train one model together. The sponsor escrows a reward, trainers submit
/// encrypted updates by CID, a committee scores them, votes the next model's hash and the rewards root of each round.
/// @dev No owner, no keeper, immutable. Tokens live in the Vault. A function that names a cycle reverts with
/// `Federation_WrongCycle` for any other one than the job's last, before the phase is looked at.
interface IFederation {
    event JobPosted(JobId indexed job, address indexed sponsor, bytes32 termsHash, JobTerms terms, uint256 escrow);
    event TrainerEnrolled(JobId indexed job, address indexed trainer, uint96 bond);
    /// @param randomness block.prevrandao, or the parent's block hash where the chain has none
    /// @param seed `history` with this opening: keccak256(abi.encode(history, keccak256(abi.encode(draw, committee,
    /// keys)))), draw = keccak256(abi.encode(chainid, federation, job, sheets, updates, randomness)), sheets and updates as
    /// the last opened cycle left them (0 in the first)
    /// @param committee by seat
    /// @param keys that were in force when the cycle opened, by seat; 0 for none
    event CycleOpened(
        JobId indexed job,
        CycleId indexed cycle,
        uint16 round,
        bytes32 randomness,
        bytes32 seed,
        address[] committee,
        bytes32[] keys
    );
    event UpdateSubmitted(JobId indexed job, CycleId indexed cycle, address trainer, bytes32 digest);
    event UpdatesAttested(JobId indexed job, CycleId indexed cycle, uint8 seat, bytes bitmap);
    event SharesReleased(JobId indexed job, CycleId indexed cycle, uint8 seat, bytes32 digest);
    event ScoresCommitted(JobId indexed job, CycleId indexed cycle, uint8 seat, bytes32 commitment);
    event ScoresRevealed(JobId indexed job, CycleId indexed cycle, uint8 seat, bytes sheet, bytes32 salt);
    event ResultVoted(JobId indexed job, CycleId indexed cycle, uint8 seat, uint192 sealedVote, int64 metric);
    /// @param matched bitmap of the seats that voted this result
    /// @param time of the block
    event RoundFinalized(
        JobId indexed job,
        CycleId indexed cycle,
        uint16 round,
        bytes32 model,
        bytes32 rewards,
        int64 metric,
        uint24 matched,
        bytes32 resultHash,
        uint32 time
    );
    /// @param phase the phase that ran out. VOTE: the committee agreed that nothing could be aggregated. OPEN: no cycle
    /// was opened in time; then `cycle`, the last one opened (0: none), had ended before and stays as it was
    /// @param time of the block
    event CycleFailed(
        JobId indexed job,
        CycleId indexed cycle,
        Phase phase,
        uint8 failures,
        uint256 burnt,
        uint32 time
    );
    event Rejoined(JobId indexed job, address indexed account);
    event StopRequested(JobId indexed job);
    /// @param outcome COMPLETED, ABORTED or CANCELLED
    event JobEnded(JobId indexed job, Phase outcome);
    event KeysPublished(JobId indexed job, address indexed account, bytes32 digest);
    event KeyAnnounced(address indexed account, bytes32 key);

    /// @notice Posts a job and escrows its reward.
    /// @dev The token must be approved to the vault. Reverts `Terms_…` for terms out of bounds (see Refusals).
    function post(JobTerms calldata terms, uint256 escrow) external returns (JobId job);

    /// @notice Joins a job with a bond of at least `minBond`. ENROL ends early at `maxTrainers`.
    /// @param termsHash of the terms, the escrow and the sponsor that the trainer agrees to
    /// @param data for the admission contract
    function enrol(JobId job, bytes32 termsHash, uint96 bond, bytes calldata data) external;

    /// @notice Draws (or keeps) the committee, fixes its members' keys and starts a cycle.
    /// @dev In a later second than the one in which ENROL, the last cycle or the last OPEN ended: whoever ended it can't
    /// choose, in one transaction, among committees.
    function open(JobId job) external returns (CycleId cycle);

    /// @notice Registers the caller's encrypted update. The bytes are published only after SUBMIT has closed.
    /// @param seed of the cycle, as the trainer believes: whoever was shown other keys than those in force reverts
    function submit(JobId job, CycleId cycle, bytes32 seed, bytes32 digest) external;

    function attest(JobId job, CycleId cycle, uint8 seat, bytes calldata bitmap) external;

    function release(JobId job, CycleId cycle, uint8 seat, bytes32 digest) external;

    /// @param commitment keccak256(abi.encode(chainid, federation, job, cycle, member, keccak256(sheet), salt))
    function commitScores(JobId job, CycleId cycle, uint8 seat, bytes32 commitment) external;

    /// @param sheet 13 bytes for each submitted update, in on-chain order
    function revealScores(JobId job, CycleId cycle, uint8 seat, bytes calldata sheet, bytes32 salt) external;

    /// @param sheets the accumulator that the vote was worked out from
    /// @param sealedVote low 192 bits of keccak256(abi.encode(resultHash, seat))
    /// @param metric of the new model on the member's own rows, 1e-9
    function vote(JobId job, CycleId cycle, uint8 seat, bytes32 sheets, uint192 sealedVote, int64 metric) external;

    /// @notice Opens the result, counts the votes that match it, books its rewards.
    function finalize(JobId job, CycleId cycle, Result calldata result) external;

    /// @notice Ends what has lapsed: a cycle, an OPEN that nobody used, an ENROL with too few trainers (cycle 0).
    function failRound(JobId job, CycleId cycle) external;

    /// @notice A trainer or member that is not due asks to be waited for again, with everybody, from the next cycle.
    function rejoin(JobId job, CycleId cycle) external;

    /// @notice The sponsor ends the job: in ENROL and OPEN at once, else with the cycle under way.
    function stop(JobId job) external;

    /// @notice After the end: books what the seat's present member has earned, and pays all its fees of this job.
    function claimFees(JobId job, uint8 seat) external;

    /// @notice After the end, by anyone: names a file of content keys that open sealed updates of the job.
    /// @dev Nothing is checked here: whoever reads the file checks each key against its update.
    /// @param digest sha2-256 digest of the file's CID
    function publishKeys(JobId job, bytes32 digest) external;

    /// @notice Announces the caller's X25519 public key; in force for cycles that open after it.
    function announceKey(bytes32 key) external;

    function vault() external view returns (IVault);

    function jobCount() external view returns (uint256);

    function termsOf(JobId job) external view returns (JobTerms memory);

    function phaseAt(JobId job, uint256 time) external view returns (Phase);

    function stateAt(JobId job, uint256 time) external view returns (JobState memory);

    /// @return the chain over each cycle's opening and end, and each lapsed OPEN; it begins with the hash of the terms
    function historyOf(JobId job) external view returns (bytes32);

    /// @return the X25519 public key that `account` announced last; 0 for none
    function keyOf(address account) external view returns (bytes32);

    /// @return enrolled whether `trainer` is enrolled
    /// @return counter of the last cycle that it submitted in; 0 before
    /// @return bond as enrolled, whatever was taken of it since
    function trainerOf(
        JobId job,
        address trainer
    ) external view returns (bool enrolled, uint32 counter, uint96 bond);

    /// @param index in order of enrolment, from 0; `stateAt` tells how many are enrolled
    /// @return the trainer that enrolled there; 0 for none
    function trainerAt(JobId job, uint256 index) external view returns (address);
}
