// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {TreasuryModule} from "./TreasuryModule.sol";

/// @title Payments to players, each exactly once
/// @notice The host pays withdrawals in batches. Each has an id; an id is paid once, to one address, in one amount. The same payment again is
/// skipped, so a batch may be sent again, or its payments in other batches, whenever the host does not know what became of them: also after
/// an old copy of its data was restored. The tokens come from the treasury, which allows this contract as much as it wants to be paid out;
/// this contract never holds any.
///
/// Its keeper is the payer, who only pays, up to a limit per UTC day. What the owner may do, and that it is not to pay, stands in TreasuryModule.
contract PayoutModule is TreasuryModule {
    using SafeERC20 for IERC20;

    /// @notice A payment that was made; all zero for an id that was not paid.
    struct Payment {
        address to;
        uint96 amount;
        uint64 blockNumber;
    }

    /// @notice The most payments of one call.
    uint256 public constant PAYMENTS_MAX = 100;
    /// @notice What is paid.
    IERC20 public immutable token;
    mapping(bytes32 id => Payment) private _payments;

    /// @notice `amount` of the treasury's tokens was paid to `to` for the withdrawal `id`.
    event Paid(bytes32 indexed id, address indexed to, uint256 amount);
    /// @notice Another address may pay now; `previous` is zero at the deployment.
    event PayerChanged(address indexed previous, address indexed current);

    /// @notice The id was paid, to this address and in this amount, which is not what was asked now.
    error PaidOtherwise(bytes32 id, address to, uint256 amount);
    /// @notice An id or amount of zero: it could not be told from a payment that was not made.
    error EmptyPayment(bytes32 id, uint256 amount);
    /// @notice Zero, the token, the treasury or this contract: nobody who is to be paid.
    error UnfitForPayment(bytes32 id, address to);
    /// @notice The three lists have to be equally long.
    error LengthsDiffer(uint256 ids, uint256 to, uint256 amounts);
    /// @notice No payment, or more than PAYMENTS_MAX.
    error OutOfBounds(uint256 count, uint256 max);
    /// @notice Only the payer pays.
    error NotPayer(address caller);

    modifier onlyPayer() {
        if (msg.sender != _keeper) revert NotPayer(msg.sender);
        _;
    }

    /// @param token_ PALM, or another token that moves exactly what it is told.
    /// @param treasury_ Whose tokens are paid; it has to approve this contract.
    /// @param admin The first owner.
    /// @param payer_ The first payer.
    /// @param dayLimit_ The first limit per UTC day.
    constructor(IERC20 token_, address treasury_, address admin, address payer_, uint256 dayLimit_)
        TreasuryModule(address(token_), treasury_, admin)
    {
        token = token_;
        _setPayer(payer_);
        _setDayLimit(dayLimit_);
    }

    /// @notice Pays each id that was not paid yet. One that was paid the same is skipped; one that was paid otherwise ends the call, and so does
    /// anything else that is wrong: then nothing of it happened.
    /// @param ids The withdrawals' names on chain, none zero; the same one twice is paid once.
    /// @param to Who is paid.
    /// @param amounts In the token's units; what is really paid counts into today's limit.
    function pay(bytes32[] calldata ids, address[] calldata to, uint256[] calldata amounts) external onlyPayer whenNotPaused {
        uint256 count = ids.length;
        if (to.length != count || amounts.length != count) revert LengthsDiffer(count, to.length, amounts.length);
        if (count == 0 || count > PAYMENTS_MAX) revert OutOfBounds(count, PAYMENTS_MAX);
        Tally memory tally = _tallyOfToday();
        bool[] memory due = new bool[](count);
        for (uint256 i = 0; i < count; i++) due[i] = _remember(tally, ids[i], to[i], amounts[i]);
        _tally = tally;                                             // all effects stand before the token is called
        for (uint256 i = 0; i < count; i++) {
            if (!due[i]) continue;
            emit Paid(ids[i], to[i], amounts[i]);
            token.safeTransferFrom(treasury, to[i], amounts[i]);
        }
    }

    /// @notice Names another payer; the one before may pay no more.
    /// @param next Neither zero nor the owner.
    function setPayer(address next) external onlyOwner {
        _setPayer(next);
    }

    /// @notice Who may pay.
    function payer() external view returns (address) {
        return _keeper;
    }

    /// @notice What is known of the withdrawal `id`: all zero when it was not paid.
    function payment(bytes32 id) external view returns (Payment memory) {
        return _payments[id];
    }

    /// @notice All that was ever paid through this contract.
    function totalPaid() external view returns (uint256) {
        return _tally.total;
    }

    /// @notice How many payments were made.
    function paymentCount() external view returns (uint256) {
        return _tally.count;
    }

    /// @notice What was paid in the current UTC day.
    function paidToday() external view returns (uint256) {
        return _tallyOfToday().today;
    }

    // True when it is due: then it is remembered and counted.
    function _remember(Tally memory tally, bytes32 id, address to, uint256 amount) private returns (bool) {
        Payment storage old = _payments[id];
        if (old.amount != 0) {
            if (old.to != to || old.amount != amount) revert PaidOtherwise(id, old.to, old.amount);
            return false;
        }
        if (id == 0 || amount == 0) revert EmptyPayment(id, amount);
        if (to == address(0) || to == address(token) || to == treasury || to == address(this)) revert UnfitForPayment(id, to);
        _payments[id] = Payment(to, _count(tally, amount), uint64(block.number));
        return true;
    }

    function _setPayer(address next) private {
        emit PayerChanged(_setKeeper(next), next);
    }
}
