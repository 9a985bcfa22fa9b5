// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

/// @title Burns of batches, each exactly once
/// @notice The host gathers what plugins burn into batches. A batch has an id, an amount and the Merkle root of its reasons; an id burns once,
/// so the host may send it again whenever it does not know what became of it. The tokens come from the treasury, which allows this contract as
/// much as it wants to be burned; this contract never holds any.
///
/// Two roles, never one address: the burner (the host's key) only burns, up to a limit per UTC day; the owner (the operator) pauses, sets the
/// limit and names the burner, and cannot burn. A new owner accepts before it counts, and there is always one.
contract BurnModule is Ownable2Step, Pausable {
    /// @notice A batch that was burned; all zero for an id that was not.
    struct Batch {
        uint96 amount;
        uint64 blockNumber;
        uint64 timestamp;
        bytes32 root;
    }
    struct Tally {      // one word: a burn writes it once
        uint96 burned;
        uint96 today;
        uint32 day;
        uint32 batches;
    }

    /// @notice The largest limit per day; far above any supply, and small enough for its field.
    uint256 public constant DAY_LIMIT_MAX = type(uint96).max;
    /// @notice What is burned.
    ERC20Burnable public immutable token;
    /// @notice Whose tokens are burned.
    address public immutable treasury;
    /// @notice Who may burn.
    address public burner;
    /// @notice The most that may be burned in one UTC day; 0 allows nothing.
    uint96 public dayLimit;
    Tally private _tally;
    mapping(bytes32 id => Batch) private _batches;

    /// @notice `amount` of the treasury's tokens was burned for the batch `id`.
    /// @param root The Merkle root of the accruals in this batch.
    /// @param day The UTC day that it counts into (days since 1970).
    event BatchBurned(bytes32 indexed id, bytes32 indexed root, uint256 amount, uint256 day);
    /// @notice Another address may burn now; `previous` is zero at the deployment.
    event BurnerChanged(address indexed previous, address indexed current);
    /// @notice The limit per UTC day is another one now.
    event DayLimitChanged(uint256 previous, uint256 current);

    /// @notice The id was burned, with this amount and root: the answer to a retry.
    error AlreadyBurned(bytes32 id, uint256 amount, bytes32 root);
    /// @notice An id, amount or root of zero: it could not be told from a batch that was not burned.
    error EmptyBatch(bytes32 id, uint256 amount, bytes32 root);
    /// @notice More than what is left of today's limit.
    error OverDayLimit(uint256 amount, uint256 left);
    /// @notice No limit may be above DAY_LIMIT_MAX.
    error OverDayLimitMax(uint256 limit, uint256 max);
    /// @notice Only the burner burns.
    error NotBurner(address caller);
    /// @notice Zero, or already in the other role.
    error UnfitForRole(address account);
    /// @notice The owner may hand over, but not leave.
    error OwnerNeeded();

    modifier onlyBurner() {
        if (msg.sender != burner) revert NotBurner(msg.sender);
        _;
    }

    /// @param token_ PALM, or another token whose burnFrom burns exactly what it is told.
    /// @param treasury_ Whose tokens are burned; it has to approve this contract.
    /// @param admin The first owner.
    /// @param burner_ The first burner.
    /// @param dayLimit_ The first limit per UTC day.
    constructor(ERC20Burnable token_, address treasury_, address admin, address burner_, uint256 dayLimit_) Ownable(admin) {
        if (treasury_ == address(0)) revert UnfitForRole(treasury_);
        if (address(token_).code.length == 0) revert UnfitForRole(address(token_));
        token = token_;
        treasury = treasury_;
        _setBurner(burner_);
        _setDayLimit(dayLimit_);
    }

    /// @notice Burns `amount` of the treasury's tokens for the batch `id`. A repeated id reverts and burns nothing, whatever the rest says.
    /// @param id The batch's name in the host's ledger.
    /// @param amount In the token's units; what is left of today's limit at most.
    /// @param root The Merkle root of the accruals, as OpenZeppelin's trees have it; a later proof needs nothing else from here.
    function burn(bytes32 id, uint256 amount, bytes32 root) external onlyBurner whenNotPaused {
        Batch storage old = _batches[id];
        if (old.amount != 0) revert AlreadyBurned(id, old.amount, old.root);
        if (id == 0 || amount == 0 || root == 0) revert EmptyBatch(id, amount, root);
        Tally memory tally = _tallyOfToday();
        uint256 left = _left(tally.today);
        if (amount > left) revert OverDayLimit(amount, left);

        // forge-lint: disable-next-line(unsafe-typecast)
        uint96 units = uint96(amount);                              // what is left is a uint96 too
        tally.burned += units;
        tally.today += units;
        tally.batches += 1;
        _tally = tally;
        _batches[id] = Batch(units, uint64(block.number), uint64(block.timestamp), root);
        emit BatchBurned(id, root, amount, tally.day);

        token.burnFrom(treasury, amount);
    }

    /// @notice Stops burning.
    function pause() external onlyOwner {
        _pause();
    }

    /// @notice Lets burning go on.
    function unpause() external onlyOwner {
        _unpause();
    }

    /// @notice Sets the limit per UTC day, for today too: what was burned today counts into it.
    /// @param limit 0 allows nothing; DAY_LIMIT_MAX at most.
    function setDayLimit(uint256 limit) external onlyOwner {
        _setDayLimit(limit);
    }

    /// @notice Names another burner; the one before may burn no more.
    /// @param next Neither zero nor the owner.
    function setBurner(address next) external onlyOwner {
        _setBurner(next);
    }

    /// @notice Refused: without an owner nobody could pause.
    function renounceOwnership() public view override onlyOwner {
        revert OwnerNeeded();
    }

    /// @notice What is known of the batch `id`: all zero when it was not burned.
    function batch(bytes32 id) external view returns (Batch memory) {
        return _batches[id];
    }

    /// @notice All that was ever burned through this contract.
    function totalBurned() external view returns (uint256) {
        return _tally.burned;
    }

    /// @notice How many batches were burned.
    function batchCount() external view returns (uint256) {
        return _tally.batches;
    }

    /// @notice What was burned in the current UTC day.
    function burnedToday() external view returns (uint256) {
        return _tallyOfToday().today;
    }

    /// @notice What may still be burned in the current UTC day; a pause does not show here.
    function leftToday() external view returns (uint256) {
        return _left(_tallyOfToday().today);
    }

    /// @notice The bytes of an accrual that the host puts under a batch's root: its number in the ledger, its amount, and the hash of its reason.
    function accrualBytes(uint256 accrual, uint256 amount, bytes32 reason) public pure returns (bytes memory) {
        return abi.encode(accrual, amount, reason);
    }

    /// @notice True when the batch `id` was burned and this accrual is under its root.
    /// @param proof The siblings on the way from the leaf to the root.
    function provesAccrual(bytes32 id, uint256 accrual, uint256 amount, bytes32 reason, bytes32[] calldata proof) external view returns (bool) {
        return proves(id, accrualBytes(accrual, amount, reason), proof);
    }

    /// @notice True when the batch `id` was burned and `leaf` is under its root. The bytes are hashed twice here, so no inner node passes for a leaf.
    function proves(bytes32 id, bytes memory leaf, bytes32[] calldata proof) public view returns (bool) {
        bytes32 root = _batches[id].root;
        return root != 0 && MerkleProof.verifyCalldata(proof, root, keccak256(bytes.concat(keccak256(leaf))));
    }

    function _tallyOfToday() private view returns (Tally memory tally) {
        tally = _tally;
        uint32 day = uint32(block.timestamp / 1 days);
        if (tally.day != day) (tally.day, tally.today) = (day, 0);
    }

    function _left(uint256 today) private view returns (uint256) {
        return today < dayLimit ? dayLimit - today : 0;
    }

    function _setDayLimit(uint256 limit) private {
        if (limit > DAY_LIMIT_MAX) revert OverDayLimitMax(limit, DAY_LIMIT_MAX);
        emit DayLimitChanged(dayLimit, limit);
        // forge-lint: disable-next-line(unsafe-typecast)
        dayLimit = uint96(limit);
    }

    function _setBurner(address next) private {
        if (next == address(0) || next == owner()) revert UnfitForRole(next);
        emit BurnerChanged(burner, next);
        burner = next;
    }

    function _transferOwnership(address next) internal override {
        if (next == burner) revert UnfitForRole(next);
        super._transferOwnership(next);
    }
}
