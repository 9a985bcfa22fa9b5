// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {PALM} from "src/PALM.sol";
import {TreasuryModule} from "src/TreasuryModule.sol";
import {Kit} from "./Kit.sol";

// How the tests below reach what each module has under its own name.
abstract contract TreasuryModuleKit is Kit {
    address public constant TREASURY = address(0x11);
    TreasuryModule public made;

    function _deploy(IERC20 token, address treasury, address admin, address keeper, uint256 limit) internal virtual returns (TreasuryModule);
    function _setKeeperCall(address next) internal pure virtual returns (bytes memory);
    function _keeper() internal view virtual returns (address);
    function _spentToday() internal view virtual returns (uint256);
    function _totalSpent() internal view virtual returns (uint256);
    function _spendCount() internal view virtual returns (uint256);
    function _spentFor(bytes32 id) internal view virtual returns (uint256);
}

// What every module promises: the tests of each inherit these.
abstract contract TreasuryModuleTest is TreasuryModuleKit {
    PALM internal palm;
    address internal constant ADMIN = address(0xad);
    address internal constant KEEPER = address(0xbb);
    bytes32 internal constant ID = bytes32(uint256(0x1d));
    uint256 internal constant LIMIT = 1_000_000e9;
    uint256 internal constant NOON = 20_000 days + 12 hours;

    function _spend(address by, bytes32 id, uint256 amount) internal virtual;
    function _notKeeper(address caller) internal pure virtual returns (bytes memory reason);
    function _emitKeeperChanged(address previous, address current) internal virtual;

    function setUp() public virtual {
        palm = new PALM(TREASURY, address(0x22));
        made = _deploy(palm, TREASURY, ADMIN, KEEPER, LIMIT);
        vm.prank(TREASURY);
        palm.approve(address(made), type(uint256).max);
        vm.warp(NOON);
    }

    function _setKeeper(address next) private {
        vm.prank(ADMIN);
        (bool done, bytes memory reason) = address(made).call(_setKeeperCall(next));
        vm.assertTrue(done && reason.length == 0, "a keeper is named");
    }

    function _setKeeperRefuses(address next) private {
        vm.prank(ADMIN);
        (bool done, bytes memory reason) = address(made).call(_setKeeperCall(next));
        vm.assertTrue(!done, "refused");
        vm.assertEq(keccak256(reason), keccak256(abi.encodeWithSelector(TreasuryModule.UnfitForRole.selector, next)), "unfit");
    }

    function test_it_says_what_it_was_made_with() public view {
        vm.assertEq(made.treasury(), TREASURY, "treasury");
        vm.assertEq(made.owner(), ADMIN, "owner");
        vm.assertEq(_keeper(), KEEPER, "keeper");
        vm.assertEq(made.dayLimit(), LIMIT, "limit");
        vm.assertEq(made.leftToday(), LIMIT, "left");
    }

    function testFuzz_only_the_keeper_spends(address caller) public {
        vm.assume(caller != KEEPER);
        vm.expectRevert(_notKeeper(caller));
        _spend(caller, ID, 1);
    }

    function test_without_tokens_or_allowance_the_id_stays_free() public {
        vm.prank(TREASURY);
        palm.approve(address(made), 1);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(made), 1, 2));
        _spend(KEEPER, ID, 2);
        vm.assertEq(_spentFor(ID), 0, "not spent");
        vm.assertEq(_spentToday(), 0, "not counted");
        vm.prank(TREASURY);
        palm.approve(address(made), 2);
        _spend(KEEPER, ID, 2);
    }

    function testFuzz_day_limit(uint256 first, uint256 second) public {
        first = within(first, 1, LIMIT);
        second = within(second, LIMIT - first + 1, type(uint256).max - 1);
        _spend(KEEPER, ID, first);
        vm.expectRevert(abi.encodeWithSelector(TreasuryModule.OverDayLimit.selector, second, LIMIT - first));
        _spend(KEEPER, "other", second);
        vm.warp(NOON + 12 hours - 1);
        vm.expectRevert(abi.encodeWithSelector(TreasuryModule.OverDayLimit.selector, second, LIMIT - first));
        _spend(KEEPER, "other", second);
        vm.warp(NOON + 12 hours);                // midnight
        vm.assertEq(_spentToday(), 0, "a new day");
        _spend(KEEPER, "other", LIMIT);
        vm.assertEq(made.leftToday(), 0, "nothing left");
    }

    function test_a_lower_limit_counts_for_today_too() public {
        _spend(KEEPER, ID, 100);
        vm.expectEmit(address(made));
        emit TreasuryModule.DayLimitChanged(LIMIT, 60);
        vm.prank(ADMIN);
        made.setDayLimit(60);
        vm.assertEq(made.leftToday(), 0, "left");
        vm.expectRevert(abi.encodeWithSelector(TreasuryModule.OverDayLimit.selector, 1, 0));
        _spend(KEEPER, "other", 1);
    }

    function test_limit_has_a_bound() public {
        uint256 max = made.DAY_LIMIT_MAX();
        vm.expectRevert(abi.encodeWithSelector(TreasuryModule.OverDayLimitMax.selector, max + 1, max));
        vm.prank(ADMIN);
        made.setDayLimit(max + 1);
        vm.prank(ADMIN);
        made.setDayLimit(max);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, TREASURY, 75_000_000e9, max));
        _spend(KEEPER, ID, max);
    }

    function test_pause() public {
        vm.prank(ADMIN);
        made.pause();
        vm.expectRevert(abi.encodeWithSelector(Pausable.EnforcedPause.selector));
        _spend(KEEPER, ID, 1);
        vm.prank(ADMIN);
        made.unpause();
        _spend(KEEPER, ID, 1);
    }

    function testFuzz_only_the_admin_administers(address caller) public {
        vm.assume(caller != ADMIN);
        bytes[6] memory calls = [
            abi.encodeCall(TreasuryModule.pause, ()),
            abi.encodeCall(TreasuryModule.unpause, ()),
            abi.encodeCall(TreasuryModule.setDayLimit, (1)),
            _setKeeperCall(address(1)),
            abi.encodeCall(Ownable2Step.transferOwnership, (caller)),
            abi.encodeCall(Ownable.renounceOwnership, ())
        ];
        for (uint256 i = 0; i < calls.length; i++) {
            vm.prank(caller);
            (bool done, bytes memory reason) = address(made).call(calls[i]);
            vm.assertTrue(!done && selectorOf(reason) == Ownable.OwnableUnauthorizedAccount.selector, "refused");
        }
    }

    function test_a_new_keeper_replaces_the_old_one() public {
        vm.expectEmit(address(made));
        _emitKeeperChanged(KEEPER, address(0xb3));
        _setKeeper(address(0xb3));
        vm.expectRevert(_notKeeper(KEEPER));
        _spend(KEEPER, ID, 1);
        _spend(address(0xb3), ID, 1);
    }

    function test_a_new_admin_must_accept() public {
        vm.prank(ADMIN);
        made.transferOwnership(address(0xa2));
        vm.assertEq(made.owner(), ADMIN, "not yet");
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, KEEPER));
        vm.prank(KEEPER);
        made.acceptOwnership();
        vm.prank(address(0xa2));
        made.acceptOwnership();
        vm.assertEq(made.owner(), address(0xa2), "now");
    }

    function test_there_is_always_an_admin() public {
        vm.expectRevert(abi.encodeWithSelector(TreasuryModule.OwnerNeeded.selector));
        vm.prank(ADMIN);
        made.renounceOwnership();
    }

    function test_roles_stay_apart() public {
        _setKeeperRefuses(ADMIN);
        _setKeeperRefuses(address(0));
        vm.prank(ADMIN);
        made.transferOwnership(KEEPER);
        vm.expectRevert(abi.encodeWithSelector(TreasuryModule.UnfitForRole.selector, KEEPER));
        vm.prank(KEEPER);
        made.acceptOwnership();
    }

    function test_constructor_refuses_nonsense() public {
        vm.expectRevert(abi.encodeWithSelector(TreasuryModule.UnfitForRole.selector, address(0)));
        _deploy(palm, address(0), ADMIN, KEEPER, LIMIT);
        vm.expectRevert(abi.encodeWithSelector(TreasuryModule.UnfitForRole.selector, address(0x99)));
        _deploy(IERC20(address(0x99)), TREASURY, ADMIN, KEEPER, LIMIT);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableInvalidOwner.selector, address(0)));
        _deploy(palm, TREASURY, address(0), KEEPER, LIMIT);
        vm.expectRevert(abi.encodeWithSelector(TreasuryModule.UnfitForRole.selector, address(0)));
        _deploy(palm, TREASURY, ADMIN, address(0), LIMIT);
        vm.expectRevert(abi.encodeWithSelector(TreasuryModule.UnfitForRole.selector, ADMIN));
        _deploy(palm, TREASURY, ADMIN, ADMIN, LIMIT);
        uint256 max = made.DAY_LIMIT_MAX();
        vm.expectRevert(abi.encodeWithSelector(TreasuryModule.OverDayLimitMax.selector, max + 1, max));
        _deploy(palm, TREASURY, ADMIN, KEEPER, max + 1);
    }
}

// Everybody does everything in any order, and this model says beforehand what has to come of it.
abstract contract TreasuryModuleHandler is TreasuryModuleKit {
    PALM public palm;
    address[] public people;
    bytes32[] public ids;

    mapping(bytes32 id => uint256) public amountOf;
    mapping(bytes32 id => uint256) public timesSpent;
    mapping(uint256 day => uint256) public spentOn;
    uint256 public spent;
    uint256 public spends;
    address public owner;
    address public pending;
    address public keeper;
    uint256 public limit = 1000;
    bool public paused;
    uint256 public time = 20_000 days;

    constructor() {
        palm = new PALM(TREASURY, address(0x22));
        for (uint256 i = 1; i <= 4; i++) people.push(address(uint160(0xa0 + i)));
        for (uint256 i = 1; i <= 24; i++) ids.push(bytes32(i));
        (owner, keeper) = (people[0], people[1]);
        made = _deploy(palm, TREASURY, owner, keeper, limit);
        vm.prank(TREASURY);
        palm.approve(address(made), type(uint256).max);
        vm.warp(time);
    }

    function pass_time(uint256 s) external {
        time += within(s, 1, 5 hours);
        vm.warp(time);
    }

    function set_limit(uint256 by, uint256 next) external {
        next = within(next, 0, 1500);
        vm.prank(_who(by));
        try made.setDayLimit(next) {
            vm.assertEq(_who(by), owner, "only the owner sets the limit");
            limit = next;
        } catch {
            vm.assertTrue(_who(by) != owner, "the owner may");
        }
    }

    function set_pause(uint256 by, bool on) external {
        bool done = _calls(by, on ? abi.encodeCall(TreasuryModule.pause, ()) : abi.encodeCall(TreasuryModule.unpause, ()));
        vm.assertTrue(done == (_who(by) == owner && on != paused), "the owner pauses what runs");
        if (done) paused = on;
    }

    function set_keeper(uint256 by, uint256 next) external {
        bool done = _calls(by, _setKeeperCall(_who(next)));
        vm.assertTrue(done == (_who(by) == owner && _who(next) != owner), "the owner names another");
        if (done) keeper = _who(next);
    }

    function hand_over(uint256 by, uint256 to) external {
        bool done = _calls(by, abi.encodeCall(Ownable2Step.transferOwnership, (_who(to))));
        vm.assertTrue(done == (_who(by) == owner), "only the owner hands over");
        if (done) pending = _who(to);
    }

    function accept(uint256 by) external {
        bool done = _calls(by, abi.encodeCall(Ownable2Step.acceptOwnership, ()));
        vm.assertTrue(done == (_who(by) == pending && _who(by) != keeper), "who was named accepts");
        if (done) (owner, pending) = (pending, address(0));
    }

    // Who asks for the next spending: mostly the right one.
    function _caller(uint256 by) internal view returns (address) {
        return by % 4 == 0 ? people[by / 4 % people.length] : keeper;
    }

    function _spentNow(bytes32 id, uint256 amount) internal {
        timesSpent[id]++;
        amountOf[id] = amount;
        spentOn[_day()] += amount;
        spent += amount;
        spends++;
        vm.assertLe(spentOn[_day()], limit, "the limit of the day");
    }

    function _day() internal view returns (uint256) {
        return time / 1 days;
    }

    function _who(uint256 no) private view returns (address) {
        return people[no % people.length];
    }

    function _calls(uint256 by, bytes memory call) private returns (bool done) {
        vm.prank(_who(by));
        (done,) = address(made).call(call);
    }

    // What has to be true between any two calls, of every module.
    function look() external view {
        uint256 sum = 0;
        for (uint256 i = 0; i < ids.length; i++) {
            vm.assertLe(timesSpent[ids[i]], 1, "once");
            vm.assertEq(_spentFor(ids[i]), amountOf[ids[i]], "what was spent first");
            sum += amountOf[ids[i]];
        }
        vm.assertEq(sum, _totalSpent(), "the ids are all that was spent");
        vm.assertEq(_totalSpent(), spent, "the model agrees");
        vm.assertEq(_spendCount(), spends, "they are counted");
        vm.assertEq(palm.balanceOf(TREASURY), 75_000_000e9 - spent, "the treasury lacks exactly this");
        vm.assertEq(palm.balanceOf(address(made)), 0, "the module holds nothing");
        uint256 today = spentOn[_day()];
        vm.assertEq(_spentToday(), today, "today, which never went over the limit of its time: _spentNow saw to it");
        vm.assertEq(made.leftToday(), today < limit ? limit - today : 0, "left");
        vm.assertEq(made.owner(), owner, "owner");
        vm.assertEq(_keeper(), keeper, "keeper");
        vm.assertTrue(made.owner() != _keeper() && made.owner() != address(0), "two people");
    }
}

// Runs a handler; the function that spends is called more often than the rest.
abstract contract TreasuryModuleInvariants is Kit {
    function _handler() internal view virtual returns (TreasuryModuleHandler handler, bytes4 spend);

    function targetContracts() public view returns (address[] memory list) {
        (TreasuryModuleHandler handler,) = _handler();
        list = new address[](1);
        list[0] = address(handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory list) {
        (TreasuryModuleHandler handler, bytes4 spend) = _handler();
        bytes4[] memory s = new bytes4[](10);
        (s[0], s[1], s[2], s[3]) = (spend, spend, spend, spend);
        (s[4], s[5], s[6]) = (handler.pass_time.selector, handler.set_limit.selector, handler.set_pause.selector);
        (s[7], s[8], s[9]) = (handler.set_keeper.selector, handler.hand_over.selector, handler.accept.selector);
        list = new FuzzSelector[](1);
        list[0] = FuzzSelector(address(handler), s);
    }
}
