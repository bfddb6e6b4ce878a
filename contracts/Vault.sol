// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {Accounts} from "./Accounts.sol";
import {JobId} from "./interfaces/IFederation.sol";
import {Claim, IVault, Leaf} from "./interfaces/IVault.sol";
import {Refusals} from "./libraries/Refusals.sol";
import {Leaves} from "./libraries/Leaves.sol";

/// @title The tokens of all jobs, each job's by itself: what comes in, what is booked, what goes out
contract Vault is IVault, Accounts, ReentrancyGuard {
    using SafeERC20 for IERC20;

    address private constant DEAD = 0x000000000000000000000000000000000000dEaD;

    address private immutable _federation;

    constructor() {
        _federation = msg.sender;
    }

    modifier onlyFederation() {
        if (msg.sender != _federation) revert Refusals.Vault_NotFederation(msg.sender);
        _;
    }

    /// @inheritdoc IVault
    function deposit(
        JobId job,
        IERC20 token,
        uint96 strikePenalty,
        address sponsor,
        uint256 amount
    ) external onlyFederation nonReentrant {
        if (amount > type(uint128).max) revert Refusals.Vault_AmountTooLarge(amount);

        Account storage account = _accounts[job];
        account.token = token;
        account.strikePenalty = strikePenalty;
        account.sponsor = sponsor;
        account.escrowed = uint128(amount);
        account.left = uint128(amount);

        emit Deposited(job, sponsor, amount);

        _pull(token, sponsor, amount);
    }

    /// @inheritdoc IVault
    function bond(JobId job, address trainer, uint96 amount) external onlyFederation nonReentrant {
        Account storage account = _accounts[job];
        account.bonded += amount;
        _tabs[job][trainer][0].bond = amount;

        emit Bonded(job, trainer, amount);

        _pull(account.token, trainer, amount);
    }

    /// @inheritdoc IVault
    function bookRound(
        JobId job,
        uint16 round,
        uint160 root,
        uint96 reward,
        uint256 fees
    ) external onlyFederation returns (uint256 left) {
        Account storage account = _accounts[job];
        uint256 taken = reward + fees;
        left = account.left - taken;
        account.left = uint128(left);
        account.booked += uint128(taken);
        _pools[job][round] = Pool(root, reward);

        emit RoundBooked(job, round, root, reward, fees);
    }

    /// @inheritdoc IVault
    function bookFees(JobId job, address member, uint256 amount) external onlyFederation {
        _fees[job][member] += amount;

        emit FeesBooked(job, member, amount);
    }

    /// @inheritdoc IVault
    function burn(JobId job, uint256 amount) external onlyFederation returns (uint256 left) {
        Account storage account = _accounts[job];
        left = account.left - amount;
        account.left = uint128(left);

        _burn(job, account, amount);
    }

    /// @inheritdoc IVault
    function close(JobId job, uint32 claimTime, uint32 slashTime) external onlyFederation {
        Account storage account = _accounts[job];
        account.endedAt = uint32(block.timestamp);
        account.claimUntil = uint32(Math.min(block.timestamp + claimTime, type(uint32).max));
        account.slashUntil = uint32(block.timestamp + slashTime);
    }

    /// @inheritdoc IVault
    function claim(JobId job, address trainer, Claim[] calldata claims) external nonReentrant {
        Account storage account = _accounts[job];
        _requireClaimable(job, account);
        bool slashing = account.endedAt == 0 || block.timestamp < account.slashUntil;
        mapping(uint256 round => Pool) storage pools = _pools[job];
        mapping(uint256 index => Tab) storage tabs = _tabs[job][trainer];

        uint256 pay;
        for (uint256 i = 0; i < claims.length; ++i) {
            (uint16 round, Leaf calldata leaf, bytes32[] calldata proof) = _parts(claims[i]);
            if (!_mark(tabs[round / TAB_ROUNDS], round % TAB_ROUNDS)) continue;

            uint160 root = Leaves.rootOf(trainer, leaf, proof);
            if (root == 0 || root != pools[round].root) revert Refusals.Vault_InvalidProof(job, round, trainer);
            uint256 amount = _take(pools[round], leaf.pay);
            pay += amount;

            emit RewardClaimed(job, trainer, round, amount);

            if (leaf.strike != 0 && slashing) _strike(job, account, trainer, round);
        }
        if (pay == 0) return;

        account.paid += uint128(pay);

        account.token.safeTransfer(trainer, pay);
    }

    /// @inheritdoc IVault
    function claimFees(JobId job, address member) external nonReentrant {
        Account storage account = _accounts[job];
        _requireClaimable(job, account);
        uint256 amount = _fees[job][member];
        if (amount == 0) return;

        _fees[job][member] = 0;
        account.paid += uint128(amount);

        emit FeesClaimed(job, member, amount);

        account.token.safeTransfer(member, amount);
    }

    /// @inheritdoc IVault
    function claimBond(JobId job, address trainer) external nonReentrant {
        Account storage account = _accounts[job];
        if (account.endedAt == 0) revert Refusals.Vault_JobRunning(job);
        if (block.timestamp < account.slashUntil) revert Refusals.Vault_TooEarly(job, account.slashUntil);
        uint96 amount = _tabs[job][trainer][0].bond;
        if (amount == 0) return;

        _tabs[job][trainer][0].bond = 0;
        account.bonded -= amount;

        emit BondReturned(job, trainer, amount);

        account.token.safeTransfer(trainer, amount);
    }

    /// @inheritdoc IVault
    function claimRest(JobId job) external nonReentrant {
        Account storage account = _accounts[job];
        if (account.endedAt == 0) revert Refusals.Vault_JobRunning(job);
        uint128 amount = account.left;
        if (amount == 0) return;

        account.left = 0;
        account.refunded += amount;

        emit RestReturned(job, account.sponsor, amount);

        account.token.safeTransfer(account.sponsor, amount);
    }

    /// @inheritdoc IVault
    function expire(JobId job) external {
        Account storage account = _accounts[job];
        if (account.endedAt == 0) revert Refusals.Vault_JobRunning(job);
        if (block.timestamp < account.claimUntil) revert Refusals.Vault_TooEarly(job, account.claimUntil);
        uint256 amount = account.booked - account.paid;
        if (amount == 0) return;

        account.booked = account.paid;

        _burn(job, account, amount);
    }

    /// @inheritdoc IVault
    function sendBurnt(JobId job) external nonReentrant {
        Account storage account = _accounts[job];
        uint256 amount = account.burnt - account.burnSent;
        if (amount == 0) return;

        account.burnSent = account.burnt;

        emit BurnSent(job, amount);

        account.token.safeTransfer(DEAD, amount);
    }

    /// @return fresh whether the round was not marked before
    function _mark(Tab storage tab, uint256 index) private returns (bool fresh) {
        uint160 mark = uint160(1 << index);
        uint160 claimed = tab.claimed;
        fresh = claimed & mark == 0;
        if (fresh) tab.claimed = claimed | mark;
    }

    /// @return amount taken out of a round's pool: at most what it still holds
    function _take(Pool storage pool, uint256 pay) private returns (uint256 amount) {
        uint256 unpaid = pool.unpaid;
        amount = Math.min(pay, unpaid);
        pool.unpaid = uint96(unpaid - amount);
    }

    /// @dev Costs a trainer one penalty, at most what is left of its bond.
    function _strike(JobId job, Account storage account, address trainer, uint16 round) private {
        Tab storage tab = _tabs[job][trainer][0];
        uint96 penalty = uint96(Math.min(account.strikePenalty, tab.bond));
        tab.bond -= penalty;
        account.bonded -= penalty;
        account.forfeited += penalty;

        emit Struck(job, trainer, round, penalty);

        if (penalty > 0) _burn(job, account, penalty);
    }

    function _burn(JobId job, Account storage account, uint256 amount) private {
        account.burnt += uint128(amount);

        emit Burnt(job, amount);
    }

    /// @dev Refuses a token that doesn't deliver what it was told to.
    function _pull(IERC20 token, address from, uint256 amount) private {
        uint256 before = token.balanceOf(address(this));
        // `from` is always the account that called the Federation.
        // slither-disable-next-line arbitrary-send-erc20
        token.safeTransferFrom(from, address(this), amount);
        uint256 received = Math.saturatingSub(token.balanceOf(address(this)), before);
        if (received != amount) revert Refusals.Vault_TokenTakesFees(address(token), amount, received);
    }

    function _requireClaimable(JobId job, Account storage account) private view {
        if (account.endedAt != 0 && block.timestamp >= account.claimUntil) {
            revert Refusals.Vault_TooLate(job, account.claimUntil);
        }
    }

    function _parts(Claim calldata claimed) private pure returns (uint16, Leaf calldata, bytes32[] calldata) {
        return (claimed.round, claimed.leaf, claimed.proof);
    }
}
