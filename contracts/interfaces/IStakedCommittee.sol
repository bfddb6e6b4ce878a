// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ICommittee} from "./ICommittee.sol";
import {IFederation, JobId} from "./IFederation.sol";

/// @notice Whom a pool serves, for good: who stakes has read it. Times are seconds.
struct PoolTerms {
    IFederation federation;
    IERC20 token; // what is staked; must not charge transfer fees
    uint96 unit; // tokens that weigh 1
    uint32 minimum; // units that a stake has at least
    uint32 epochTime; // a change of a stake counts from the next epoch on
    uint32 reportTime; // that is left to report a fault in the longest cycle
    uint32 minPhase; // of ATTEST and RELEASE where they are used, of SCORE, REVEAL and VOTE
    uint32 maxPhase; // of these, of SUBMIT and of FINALIZE
    uint96 minFee; // a seat and round, in the token of the job
    uint8 maxSeats;
    address[] sponsors; // whose jobs it serves
    bytes32[] specs; // sha2-256 digests of the specs' CIDs
}

/// @notice A stake. In `leaving` are tokens that weigh nothing any more, and can still be burnt.
struct Stake {
    uint96 staked;
    uint96 leaving;
    uint64 leavesAt; // when `leaving` can be withdrawn
    uint32 leaf; // of the tree
    uint40 weight; // of the leaf: staked / unit, unless the stake was burnt since and nobody has called `weigh`
}

/// @notice A cycle's opening, as `history` has it: all is in the event CycleOpened, but for `draw`.
struct Opening {
    bytes32 draw;
    address[] committee;
    bytes32[] keys;
}

/// @notice A cycle's end, as `history` has it.
/// @dev payload: what is hashed, of 4 words where the cycle was finalised, of 8 where it failed.
struct Ending {
    bytes payload;
    uint256[] words; // each seat's vote, 0 of those that have none; empty where the seat in question has none
}

/// @title A pool of stakes that committees are drawn from, by weight
/// @notice A member that is drawn and silent, hides what it committed to, or votes against its quorum, loses 1 % of its stake
/// to whoever shows it by the job's `history`: to nobody, it is burnt. There is no owner, and nobody can keep a stake from leaving.
/// @dev Bound to one federation, to sponsors and specs, and to bounds of a job's terms: else anybody's job with phases of a
/// second would slash strangers. A sponsor can still post such a job as often as it likes.
interface IStakedCommittee is ICommittee {
    event Staked(address indexed account, uint256 leaf, uint256 amount, uint256 staked);
    event Unstaked(address indexed account, uint256 amount, uint256 staked, uint256 leavesAt);
    event Withdrawn(address indexed account, uint256 amount);
    /// @param seed of the cycle
    event Slashed(address indexed account, JobId indexed job, bytes32 indexed seed, uint8 seat, uint256 amount);
    event BurntSent(uint256 amount);

    /// @notice Adds to the caller's stake, which counts from the next epoch on. The caller must have announced a key.
    /// @param leaf of the tree to take over, where the caller has none: one that has weighed nothing for more than 25 epochs;
    /// `leafCount()` or more for one that nobody has had
    function stake(uint96 amount, uint256 leaf) external;

    /// @notice Takes tokens out of the caller's weight at once; they can be withdrawn after `delay`, which begins anew for all
    /// that is leaving already. What stays is at least the minimum, or nothing.
    function unstake(uint96 amount) external;

    /// @notice By anybody: sends an account what has left.
    function withdraw(address account) external;

    /// @notice By anybody: makes a leaf weigh what is still staked, after some of it was burnt.
    function weigh(address account) external;

    /// @notice By anybody: burns 1 % of the tokens of a member that was at fault in a cycle, once for each cycle and seat. At fault
    /// is who was due and absent in ATTEST or RELEASE where that phase lapsed; was due and did not commit; committed and
    /// did not reveal, once that phase was over; voted otherwise than its quorum. Nobody is, where SUBMIT failed.
    /// @param before `history` before the cycle opened
    /// @param later payloads of the links since, up to the job's `history` of now
    function report(
        JobId job,
        uint8 seat,
        bytes32 before,
        Opening calldata opened,
        Ending calldata ended,
        bytes32[] calldata later
    ) external;

    /// @notice By anybody: sends what was burnt to 0x…dEaD.
    function sendBurnt() external;

    /// @return all that was decided when the pool was deployed
    function poolTerms() external view returns (PoolTerms memory);

    /// @return members who sit in every committee; none where all are drawn
    function appointed() external view returns (address[] memory);

    /// @return seconds from `unstake` to `withdraw`: 25 epochs, in which it can still be drawn, the longest cycle, the time to report
    function delay() external view returns (uint256);

    function stakeOf(address account) external view returns (Stake memory);

    /// @return account whose leaf it is; 0 for nobody
    /// @return emptied the epoch in which the leaf weighed nothing any more; 0 while it does
    function leafAt(uint256 leaf) external view returns (address account, uint64 emptied);

    /// @return how many leaves have ever been given away
    function leafCount() external view returns (uint256);

    /// @return how many accounts weigh something now
    function stakers() external view returns (uint256);

    /// @return tokens burnt that still lie here
    function burnt() external view returns (uint256);

    /// @return total weight that a committee asked for as of this time would be drawn by
    function weightAt(uint256 asOf) external view returns (uint256);

    /// @return whether a seat of that cycle was reported already
    function isReported(bytes32 seed, uint8 seat) external view returns (bool);
}
