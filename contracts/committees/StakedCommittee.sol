// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {ICommittee} from "../interfaces/ICommittee.sol";
import {IFederation, JobId, JobTerms} from "../interfaces/IFederation.sol";
import {Ending, IStakedCommittee, Opening, PoolTerms, Stake} from "../interfaces/IStakedCommittee.sol";
import {Faults} from "../libraries/Faults.sol";
import {Refusals} from "../libraries/Refusals.sol";
import {StakeTree} from "../libraries/StakeTree.sol";

/// @title Proof of stake: every cycle draws its members from a pool, by weight
contract StakedCommittee is IStakedCommittee, ReentrancyGuard {
    using SafeERC20 for IERC20;
    using StakeTree for StakeTree.Tree;

    address private constant DEAD = 0x000000000000000000000000000000000000dEaD;
    uint256 private constant FREE_AFTER = StakeTree.WINDOW + 1; // epochs
    uint256 private constant LONGEST_EPOCH = 30 days;
    uint256 private constant PHASES = 7; // from SUBMIT to FINALIZE
    uint256 private constant PERCENT = 100;

    struct LeafOwner {
        address account;
        uint64 emptied; // epoch in which it weighed nothing any more; 0 while it does
    }

    IFederation private immutable _federation;
    IERC20 private immutable _token;
    uint256 private immutable _unit;
    uint256 private immutable _minimum; // tokens
    uint256 private immutable _epochTime;
    uint256 public immutable delay;

    uint256 public leafCount;
    uint256 public stakers;
    uint256 public burnt;

    PoolTerms private _terms;
    address[] private _appointed;
    mapping(address sponsor => bool) private _isSponsor;
    mapping(bytes32 spec => bool) private _isSpec;
    mapping(address account => Stake) internal _stakes;
    mapping(uint256 leaf => LeafOwner) internal _leaves;
    mapping(bytes32 seed => uint256 seats) private _reported; // bitmap
    StakeTree.Tree private _tree;

    constructor(PoolTerms memory terms) {
        bool isBounded = terms.minPhase > 0 && terms.minPhase <= terms.maxPhase && terms.maxSeats > 0;
        bool hasTimes = terms.epochTime > 0 && terms.epochTime <= LONGEST_EPOCH && terms.reportTime > 0;
        if (!isBounded || !hasTimes || terms.unit == 0 || terms.minimum == 0) revert Refusals.Committee_WrongTerms();

        _federation = terms.federation;
        _token = terms.token;
        _unit = terms.unit;
        _minimum = uint256(terms.minimum) * terms.unit;
        _epochTime = terms.epochTime;
        delay = FREE_AFTER * terms.epochTime + PHASES * terms.maxPhase + terms.reportTime;
        _terms = terms;
        for (uint256 i = 0; i < terms.sponsors.length; ++i) _isSponsor[terms.sponsors[i]] = true;
        for (uint256 i = 0; i < terms.specs.length; ++i) _isSpec[terms.specs[i]] = true;
    }

    // stakes

    /// @inheritdoc IStakedCommittee
    function stake(uint96 amount, uint256 leaf) external nonReentrant {
        if (_federation.keyOf(msg.sender) == 0) revert Refusals.Committee_NoKey(msg.sender);
        Stake storage own = _stakes[msg.sender];
        uint96 staked = own.staked + amount;
        if (staked < _minimum) revert Refusals.Committee_StakeTooSmall(_minimum, staked);

        own.staked = staked;
        if (!_hasLeaf(msg.sender, own)) own.leaf = _giveLeaf(msg.sender, leaf);
        _weigh(own);

        emit Staked(msg.sender, own.leaf, amount, staked);

        uint256 held = _token.balanceOf(address(this));
        _token.safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = _token.balanceOf(address(this)) - held;
        if (received != amount) revert Refusals.Vault_TokenTakesFees(address(_token), amount, received);
    }

    /// @inheritdoc IStakedCommittee
    function unstake(uint96 amount) external {
        Stake storage own = _stakes[msg.sender];
        if (amount > own.staked) revert Refusals.Committee_NotStaked(msg.sender, own.staked, amount);
        uint96 staked = own.staked - amount;
        if (staked != 0 && staked < _minimum) revert Refusals.Committee_StakeTooSmall(_minimum, staked);

        own.staked = staked;
        own.leaving += amount;
        own.leavesAt = uint64(block.timestamp + delay);
        if (_hasLeaf(msg.sender, own)) _weigh(own);

        emit Unstaked(msg.sender, amount, staked, own.leavesAt);
    }

    /// @inheritdoc IStakedCommittee
    function withdraw(address account) external nonReentrant {
        Stake storage own = _stakes[account];
        if (block.timestamp < own.leavesAt) revert Refusals.Committee_TooEarly(account, own.leavesAt);
        uint256 amount = own.leaving;
        if (amount == 0) return;

        own.leaving = 0;

        emit Withdrawn(account, amount);

        _token.safeTransfer(account, amount);
    }

    /// @inheritdoc IStakedCommittee
    function weigh(address account) external {
        Stake storage own = _stakes[account];
        if (_hasLeaf(account, own)) _weigh(own);
    }

    // committees

    /// @inheritdoc ICommittee
    function select(
        JobId job,
        uint256 counter,
        bytes32 draw,
        uint256 asOf
    ) external view returns (address[] memory members) {
        JobTerms memory terms = _federation.termsOf(job);
        _requireServed(job, terms);
        address[] memory sitting = _appointed;
        uint256 seats = terms.seats;
        if (seats <= sitting.length) revert Refusals.Committee_NotServed(job);

        members = new address[](seats);
        uint256 number;
        for (; number < sitting.length; ++number) _insert(members, number, sitting[number]);

        StakeTree.Drawn memory drawn = _tree.begin(_epochOf(_counting(asOf)), seats);
        for (uint256 n = 0; number < seats; ++n) {
            if (drawn.left == 0) revert Refusals.Committee_PoolTooSmall(job, seats);
            uint256 luck = uint256(keccak256(abi.encode(address(_federation), job, counter, draw, n)));
            address member = _leaves[_tree.next(drawn, luck)].account;
            if (!_isIn(member, sitting)) _insert(members, number++, member);
        }
    }

    /// @inheritdoc IStakedCommittee
    function report(
        JobId job,
        uint8 seat,
        bytes32 before,
        Opening calldata opened,
        Ending calldata ended,
        bytes32[] calldata later
    ) external {
        bytes32 seed = Faults.seedOf(job, _federation.historyOf(job), before, opened, ended, later);
        if (address(_federation.termsOf(job).committee) != address(this)) revert Refusals.Committee_NotServed(job);
        if (seat >= opened.committee.length || _isIn(opened.committee[seat], _appointed)) {
            revert Refusals.Committee_NotSampled(job, seat);
        }
        if (isReported(seed, seat)) revert Refusals.Committee_AlreadyReported(job, seed, seat);
        if (!Faults.isAtFault(address(_federation), job, seat, ended)) revert Refusals.Committee_NotAtFault(job, seat);

        _reported[seed] |= 1 << seat;
        uint256 amount = _burn(opened.committee[seat]);

        emit Slashed(opened.committee[seat], job, seed, seat, amount);
    }

    /// @inheritdoc IStakedCommittee
    function sendBurnt() external nonReentrant {
        uint256 amount = burnt;
        if (amount == 0) return;

        burnt = 0;

        emit BurntSent(amount);

        _token.safeTransfer(DEAD, amount);
    }

    // what can be asked

    /// @inheritdoc IStakedCommittee
    function poolTerms() external view returns (PoolTerms memory) {
        return _terms;
    }

    /// @inheritdoc IStakedCommittee
    function appointed() external view returns (address[] memory) {
        return _appointed;
    }

    /// @inheritdoc IStakedCommittee
    function stakeOf(address account) external view returns (Stake memory) {
        return _stakes[account];
    }

    /// @inheritdoc IStakedCommittee
    function leafAt(uint256 leaf) external view returns (address account, uint64 emptied) {
        return (_leaves[leaf].account, _leaves[leaf].emptied);
    }

    /// @inheritdoc IStakedCommittee
    function weightAt(uint256 asOf) external view returns (uint256) {
        return _tree.totalBefore(_epochOf(_counting(asOf)));
    }

    /// @inheritdoc IStakedCommittee
    function isReported(bytes32 seed, uint8 seat) public view returns (bool) {
        return (_reported[seed] >> seat) & 1 == 1;
    }

    // parts

    /// @dev For the constructor of who inherits.
    /// @param members who sit in every committee; different ones
    function _appoint(address[] memory members) internal {
        for (uint256 i = 0; i < members.length; ++i) {
            if (members[i] == address(0) || _isIn(members[i], _appointed)) {
                revert Refusals.Committee_WrongMembers(members.length);
            }
            _appointed.push(members[i]);
        }
    }

    function _requireServed(JobId job, JobTerms memory terms) private view {
        bool isServed = !terms.keepCommittee &&
            terms.feePerSeat >= _terms.minFee &&
            terms.seats <= _terms.maxSeats &&
            _isSpec[terms.spec] &&
            terms.submitTime <= _terms.maxPhase &&
            (terms.attestTime == 0 || _isMemberPhase(terms.attestTime)) &&
            (terms.releaseTime == 0 || _isMemberPhase(terms.releaseTime)) &&
            _isMemberPhase(terms.scoreTime) &&
            _isMemberPhase(terms.revealTime) &&
            _isMemberPhase(terms.voteTime) &&
            terms.finalizeTime <= _terms.maxPhase &&
            _isSponsor[_federation.vault().booksOf(job).sponsor];
        if (!isServed) revert Refusals.Committee_NotServed(job);
    }

    function _isMemberPhase(uint256 time) private view returns (bool) {
        return time >= _terms.minPhase && time <= _terms.maxPhase;
    }

    function _hasLeaf(address account, Stake storage own) private view returns (bool) {
        return _leaves[own.leaf].account == account;
    }

    function _giveLeaf(address account, uint256 leaf) internal returns (uint32) {
        uint256 count = leafCount;
        if (leaf >= count) {
            if (count == StakeTree.LEAVES) revert Refusals.Committee_PoolFull();
            leaf = count;
            leafCount = count + 1;
        } else {
            LeafOwner memory owner = _leaves[leaf];
            if (owner.emptied == 0 || owner.emptied + FREE_AFTER >= _epochOf(block.timestamp)) {
                revert Refusals.Committee_LeafTaken(leaf, owner.account);
            }
        }
        _leaves[leaf] = LeafOwner(account, 0);
        return uint32(leaf);
    }

    function _weigh(Stake storage own) internal {
        (uint256 leaf, uint256 former, uint256 weight) = (own.leaf, own.weight, own.staked / _unit);
        if (weight == former) return;

        uint256 epoch = _epochOf(block.timestamp);
        own.weight = uint40(weight);
        if (former == 0) {
            ++stakers;
            _leaves[leaf].emptied = 0;
        } else if (weight == 0) {
            --stakers;
            _leaves[leaf].emptied = uint64(epoch);
        }
        if (weight > StakeTree.MAX_TOTAL || _tree.set(leaf, weight, epoch) > StakeTree.MAX_TOTAL) {
            revert Refusals.Committee_PoolFull();
        }
    }

    /// @return amount 1 % of what is staked and leaving, rounded up; of what is staked first
    function _burn(address account) internal returns (uint256 amount) {
        Stake storage own = _stakes[account];
        amount = Math.ceilDiv(uint256(own.staked) + own.leaving, PERCENT);
        uint96 fromStaked = uint96(Math.min(amount, own.staked));
        own.staked -= fromStaked;
        own.leaving -= uint96(amount) - fromStaked;
        burnt += amount;
    }

    /// @dev Nobody's leaf has another's weight then: a leaf is given away only once its weight is out of reach.
    function _counting(uint256 asOf) private view returns (uint256) {
        return Math.max(asOf, block.timestamp - StakeTree.WINDOW * _epochTime);
    }

    function _epochOf(uint256 time) private view returns (uint256) {
        return time / _epochTime;
    }

    function _isIn(address account, address[] memory accounts) private pure returns (bool) {
        for (uint256 i = 0; i < accounts.length; ++i) if (accounts[i] == account) return true;
        return false;
    }

    /// @dev Keeps the first `number` members ascending.
    function _insert(address[] memory members, uint256 number, address member) private pure {
        for (; number > 0 && members[number - 1] > member; --number) members[number] = members[number - 1];
        members[number] = member;
    }
}
