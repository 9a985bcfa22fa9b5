// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

/// @title What every module that spends the treasury's tokens promises
/// @notice Two roles, never one address: the keeper (the host's key; each module has its own name for it) only spends, up to a limit per UTC day;
/// the owner (the operator) pauses, sets the limit and names the keeper, and cannot spend. A new owner accepts before it counts, and there is
/// always one.
/// @dev A module says what spending is, who may ask for it and under which name: its entry point refuses everybody but `_keeper`, and everything
/// while paused. It takes the tally, counts into it with `_count`, stores it and only then calls the token.
abstract contract TreasuryModule is Ownable2Step, Pausable {
    struct Tally {      // one word: a call that spends writes it once
        uint96 total;
        uint96 today;
        uint32 day;
        uint32 count;
    }

    /// @notice The largest limit per day; far above any supply, and small enough for its field.
    uint256 public constant DAY_LIMIT_MAX = type(uint96).max;
    /// @notice Whose tokens are spent.
    address public immutable treasury;
    address internal _keeper;
    /// @notice The most that may be spent in one UTC day; 0 allows nothing.
    uint96 public dayLimit;
    Tally internal _tally;

    /// @notice The limit per UTC day is another one now.
    event DayLimitChanged(uint256 previous, uint256 current);

    /// @notice More than what is left of today's limit.
    error OverDayLimit(uint256 amount, uint256 left);
    /// @notice No limit may be above DAY_LIMIT_MAX.
    error OverDayLimitMax(uint256 limit, uint256 max);
    /// @notice Zero, or already in the other role.
    error UnfitForRole(address account);
    /// @notice The owner may hand over, but not leave.
    error OwnerNeeded();

    /// @dev The module names its first keeper and limit itself, in this order, after this.
    /// @param token What is spent; the module keeps it, as the kind of token that it needs.
    /// @param treasury_ Whose tokens are spent; it has to approve this contract.
    /// @param admin The first owner.
    constructor(address token, address treasury_, address admin) Ownable(admin) {
        if (treasury_ == address(0)) revert UnfitForRole(treasury_);
        if (token.code.length == 0) revert UnfitForRole(token);
        treasury = treasury_;
    }

    /// @notice Stops all spending.
    function pause() external onlyOwner {
        _pause();
    }

    /// @notice Lets spending go on.
    function unpause() external onlyOwner {
        _unpause();
    }

    /// @notice Sets the limit per UTC day, for today too: what was spent today counts into it.
    /// @param limit 0 allows nothing; DAY_LIMIT_MAX at most.
    function setDayLimit(uint256 limit) external onlyOwner {
        _setDayLimit(limit);
    }

    /// @notice Refused: without an owner nobody could pause.
    function renounceOwnership() public view override onlyOwner {
        revert OwnerNeeded();
    }

    /// @notice What may still be spent in the current UTC day; a pause does not show here.
    function leftToday() external view returns (uint256) {
        return _left(_tallyOfToday().today);
    }

    function _tallyOfToday() internal view returns (Tally memory tally) {
        tally = _tally;
        uint32 day = uint32(block.timestamp / 1 days);
        if (tally.day != day) (tally.day, tally.today) = (day, 0);
    }

    /// @dev Counts one more, of `amount`, into today's tally, or refuses what is over the limit. The caller stores the tally.
    /// @return units The amount, as wide as it is kept: what is left of a limit is a uint96 too.
    function _count(Tally memory tally, uint256 amount) internal view returns (uint96 units) {
        uint256 left = _left(tally.today);
        if (amount > left) revert OverDayLimit(amount, left);
        // forge-lint: disable-next-line(unsafe-typecast)
        units = uint96(amount);
        tally.total += units;
        tally.today += units;
        tally.count += 1;
    }

    function _setDayLimit(uint256 limit) internal {
        if (limit > DAY_LIMIT_MAX) revert OverDayLimitMax(limit, DAY_LIMIT_MAX);
        emit DayLimitChanged(dayLimit, limit);
        // forge-lint: disable-next-line(unsafe-typecast)
        dayLimit = uint96(limit);
    }

    /// @dev The module tells of it, in an event under its own name for the role.
    function _setKeeper(address next) internal returns (address previous) {
        if (next == address(0) || next == owner()) revert UnfitForRole(next);
        previous = _keeper;
        _keeper = next;
    }

    function _transferOwnership(address next) internal override {
        if (next == _keeper) revert UnfitForRole(next);
        super._transferOwnership(next);
    }

    function _left(uint256 today) private view returns (uint256) {
        return today < dayLimit ? dayLimit - today : 0;
    }
}
