// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {JobId} from "./IFederation.sol";

/// @notice A trainer's leaf in a round's StandardMerkleTree:
/// keccak256(bytes.concat(keccak256(abi.encode(trainer, pay, strike, reputation)))).
/// @dev Any strike but 0 counts as one. A pay beyond what the round still holds is cut to that.
struct Leaf {
    uint256 pay;
    uint256 strike; // 0 or 1
    uint256 reputation;
}

struct Claim {
    uint16 round;
    Leaf leaf;
    bytes32[] proof;
}

/// @notice The books of one job. escrowed = left + booked + (burnt - forfeited) + refunded; booked covers rounds and
/// fees, paid or not. The vault holds left + (booked - paid) + (burnt - burnSent) + bonded for the job.
struct Books {
    IERC20 token;
    address sponsor;
    uint32 endedAt; // 0 while the job runs
    uint32 claimUntil; // 0 while the job runs
    uint32 slashUntil; // 0 while the job runs
    uint256 escrowed;
    uint256 left; // escrow not taken yet; after the end the sponsor's rest
    uint256 booked; // taken by finalised rounds: rewards and fees; after `expire` only what was paid
    uint256 paid; // of booked: claimed rewards and fees
    uint256 burnt; // failed cycles, penalties, expired rewards; sent or not
    uint256 burnSent; // of burnt: sent to 0x…dEaD
    uint256 refunded; // of escrowed: the rest that the sponsor has taken
    uint256 bonded; // bonds still held
    uint256 forfeited; // of burnt: penalties, from bonds
}

/// @title Every token of every job; pull payments
/// @notice A claim never reads the Federation: whatever a committee or admission contract does, everybody can leave.
interface IVault {
    event Deposited(JobId indexed job, address indexed from, uint256 amount);
    event Bonded(JobId indexed job, address indexed trainer, uint256 amount);
    event RoundBooked(JobId indexed job, uint16 indexed round, uint160 root, uint256 reward, uint256 fees);
    event FeesBooked(JobId indexed job, address indexed member, uint256 amount);
    event Burnt(JobId indexed job, uint256 amount);
    event BurnSent(JobId indexed job, uint256 amount);
    event RewardClaimed(JobId indexed job, address indexed trainer, uint16 indexed round, uint256 amount);
    event Struck(JobId indexed job, address indexed trainer, uint16 indexed round, uint256 penalty);
    event FeesClaimed(JobId indexed job, address indexed member, uint256 amount);
    event BondReturned(JobId indexed job, address indexed trainer, uint256 amount);
    event RestReturned(JobId indexed job, address indexed sponsor, uint256 amount);

    /// @notice Takes a new job's escrow from its sponsor. Only the Federation.
    /// @dev The token must not charge transfer fees.
    function deposit(JobId job, IERC20 token, uint96 strikePenalty, address sponsor, uint256 amount) external;

    /// @notice Takes a trainer's bond. Only the Federation.
    /// @dev The token must not charge transfer fees.
    function bond(JobId job, address trainer, uint96 amount) external;

    /// @notice Takes a finalised round's reward and fees from the escrow. Only the Federation.
    /// @return left what remains of the escrow
    function bookRound(
        JobId job,
        uint16 round,
        uint160 root,
        uint96 reward,
        uint256 fees
    ) external returns (uint256 left);

    /// @notice Books fees, of those that rounds have taken, for a member. Only the Federation.
    function bookFees(JobId job, address member, uint256 amount) external;

    /// @notice Books a failed cycle's burn from the escrow. Only the Federation.
    /// @return left what remains of the escrow
    function burn(JobId job, uint256 amount) external returns (uint256 left);

    /// @notice Closes the books of a job that ends now. Only the Federation.
    /// @param slashTime for how long bonds stay; 0 where no round was finalised
    function close(JobId job, uint32 claimTime, uint32 slashTime) external;

    /// @notice Pays a trainer what the leaves say and applies their strikes, together. By anyone, from finalisation
    /// until the end + claimTime. Rounds claimed already are skipped.
    function claim(JobId job, address trainer, Claim[] calldata claims) external;

    /// @notice Pays a member the fees that are booked for it.
    function claimFees(JobId job, address member) external;

    /// @notice Returns what is left of a bond: at the end + slashTime, at once where no round was finalised. Never
    /// expires.
    function claimBond(JobId job, address trainer) external;

    /// @notice Returns the sponsor's rest after the end. Never expires.
    function claimRest(JobId job) external;

    /// @notice Books as burnt what was not earned or claimed by the end + claimTime.
    function expire(JobId job) external;

    /// @notice Sends what is booked as burnt to 0x…dEaD.
    function sendBurnt(JobId job) external;

    function booksOf(JobId job) external view returns (Books memory);

    function bondOf(JobId job, address trainer) external view returns (uint256);

    function feesOf(JobId job, address member) external view returns (uint256);

    /// @return root low 160 bits of the round's rewards root
    /// @return unpaid what the round's pool still holds
    function roundOf(JobId job, uint16 round) external view returns (uint160 root, uint96 unpaid);

    function isClaimed(JobId job, address trainer, uint16 round) external view returns (bool);
}
