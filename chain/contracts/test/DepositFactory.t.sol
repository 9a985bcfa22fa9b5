// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {DepositFactory, Forwarder} from "src/DepositFactory.sol";
import {PALM} from "src/PALM.sol";
import {Kit} from "./Kit.sol";
import {Token} from "./Tokens.sol";

contract Purse {
    bool public open = true;

    receive() external payable {
        require(open, "closed");
    }

    function close() external {
        open = false;
    }
}

contract DepositFactoryTest is Kit {
    DepositFactory private factory;
    PALM private palm;
    Purse private purse;
    address private treasury;

    function setUp() public {
        purse = new Purse();
        treasury = address(purse);
        factory = new DepositFactory(payable(treasury));
        palm = new PALM(address(this), address(0x22));
    }

    function testFuzz_addresses_are_known_before(bytes32 salt) public view {
        bytes32 hash = keccak256(abi.encodePacked(hex"ff", address(factory), salt, factory.initCodeHash()));
        vm.assertEq(factory.addressOf(salt), address(uint160(uint256(hash))), "CREATE2");
        address clone = Clones.predictDeterministicAddress(address(factory.implementation()), salt, address(factory));
        vm.assertEq(factory.addressOf(salt), clone, "OpenZeppelin's clone");
    }

    function testFuzz_sweep_deploys_and_sends_to_the_treasury(bytes32 salt, uint256 amount, uint256 later, address caller) public {
        amount = within(amount, 1, 1e16);
        later = within(later, 1, 1e16);
        address at_ = factory.addressOf(salt);
        palm.transfer(at_, amount);
        vm.expectEmit(address(factory));
        emit DepositFactory.Swept(salt, address(palm), at_, amount, amount);
        vm.prank(caller);
        factory.sweep(palm, one(salt));
        vm.assertEq(at_.code.length, 45, "a minimal proxy");
        vm.assertEq(palm.balanceOf(treasury), amount, "the treasury has it");

        palm.transfer(at_, later);
        factory.sweep(palm, one(salt));
        vm.assertEq(palm.balanceOf(treasury), amount + later, "and what came later");
        vm.assertEq(palm.balanceOf(at_), 0, "nothing stays");
    }

    function test_sweep_of_many_skips_what_is_empty() public {
        bytes32[] memory list = salts(0, factory.SALTS_MAX());
        for (uint256 i = 0; i < list.length; i += 3) palm.transfer(factory.addressOf(list[i]), i + 1);
        list[2] = list[0];                      // a salt that comes twice
        factory.sweep(palm, list);
        uint256 sum = 0;
        for (uint256 i = 0; i < list.length; i += 3) sum += i + 1;
        vm.assertEq(palm.balanceOf(treasury), sum, "all of it");
        vm.assertEq(factory.addressOf(list[1]).code.length, 0, "what is empty is not deployed");
    }

    function test_bounds() public {
        uint256 max = factory.SALTS_MAX();
        vm.expectRevert(abi.encodeWithSelector(DepositFactory.TooManySalts.selector, max + 1, max));
        factory.sweep(palm, salts(0, max + 1));
        vm.expectRevert(abi.encodeWithSelector(DepositFactory.TooManySalts.selector, max + 1, max));
        factory.sweepEther(salts(0, max + 1));
        vm.expectRevert(abi.encodeWithSelector(DepositFactory.NoSuchToken.selector, address(0x99)));
        factory.sweep(IERC20(address(0x99)), one(0));
        vm.expectRevert(abi.encodeWithSelector(DepositFactory.NoTreasury.selector));
        new DepositFactory(payable(address(0)));
        factory.sweep(palm, new bytes32[](0));
    }

    function testFuzz_only_the_factory_asks_a_forwarder(address caller) public {
        vm.assume(caller != address(factory));
        palm.transfer(factory.addressOf("a"), 2);
        factory.sweep(palm, one("a"));
        Forwarder[2] memory both = [Forwarder(factory.addressOf("a")), factory.implementation()];
        for (uint256 i = 0; i < 2; i++) {
            vm.expectRevert(abi.encodeWithSelector(Forwarder.NotFactory.selector, caller));
            vm.prank(caller);
            both[i].sweep(palm, 1);
            vm.expectRevert(abi.encodeWithSelector(Forwarder.NotFactory.selector, caller));
            vm.prank(caller);
            both[i].sweepEther();
            vm.assertEq(both[i].treasury(), treasury, "the treasury is in its code");
            vm.assertEq(both[i].factory(), address(factory), "and the factory");
        }
    }

    function test_tokens_that_answer_nothing_are_swept() public {
        Token token = new Token(Token.Kind.ANSWERS_NOTHING);
        token.make(factory.addressOf("a"), 5);
        factory.sweep(IERC20(address(token)), one("a"));
        vm.assertEq(token.balanceOf(treasury), 5, "swept");
    }

    function test_tokens_that_answer_false_or_revert_are_refused() public {
        Token token = new Token(Token.Kind.ANSWERS_FALSE);
        token.make(factory.addressOf("a"), 5);
        bytes memory reason = abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token));
        vm.expectRevert(abi.encodeWithSelector(DepositFactory.SweepFailed.selector, bytes32("a"), address(token), reason));
        factory.sweep(IERC20(address(token)), one("a"));

        token = new Token(Token.Kind.REVERTS);
        token.make(factory.addressOf("b"), 5);
        reason = abi.encodeWithSignature("Error(string)", "frozen");
        vm.expectRevert(abi.encodeWithSelector(DepositFactory.SweepFailed.selector, bytes32("b"), address(token), reason));
        factory.sweep(IERC20(address(token)), one("b"));
        vm.assertEq(factory.addressOf("b").code.length, 0, "nothing happened");
    }

    function test_a_fee_shows_in_the_event() public {
        Token token = new Token(Token.Kind.TAKES_A_FEE);
        token.make(factory.addressOf("a"), 1000);
        token.make(factory.addressOf("b"), 500);
        vm.expectEmit(address(factory));
        emit DepositFactory.Swept("a", address(token), factory.addressOf("a"), 1000, 990);
        vm.expectEmit(address(factory));
        emit DepositFactory.Swept("b", address(token), factory.addressOf("b"), 500, 495);
        bytes32[] memory list = new bytes32[](2);
        (list[0], list[1]) = (bytes32("a"), bytes32("b"));
        factory.sweep(IERC20(address(token)), list);
        vm.assertEq(token.balanceOf(treasury), 1485, "what arrived");
    }

    function test_a_token_that_takes_from_the_treasury_counts_as_nothing() public {
        Token token = new Token(Token.Kind.ROBS);
        token.make(treasury, 100);
        token.make(factory.addressOf("a"), 5);
        vm.expectEmit(address(factory));
        emit DepositFactory.Swept("a", address(token), factory.addressOf("a"), 5, 0);
        factory.sweep(IERC20(address(token)), one("a"));
    }

    // The token calls back while the first forwarder pays: it may sweep the same token, another one, and ether, and all of it ends at the treasury.
    function test_reentrance_moves_nothing_elsewhere() public {
        Token token = new Token(Token.Kind.CALLS_BACK);
        bytes32[] memory list = salts(1, 3);
        for (uint256 i = 0; i < 3; i++) {
            token.make(factory.addressOf(list[i]), 10);
            palm.transfer(factory.addressOf(list[i]), 7);
            vm.deal(factory.addressOf(list[i]), 1 ether);
        }
        token.callBack(address(factory), abi.encodeCall(factory.sweep, (IERC20(address(token)), list)));
        token.callBack(address(factory), abi.encodeCall(factory.sweep, (palm, list)));
        token.callBack(address(factory), abi.encodeCall(factory.sweepEther, (list)));
        factory.sweep(IERC20(address(token)), list);
        vm.assertEq(token.callsDone(), 3, "it called back");
        vm.assertEq(token.balanceOf(treasury), 30, "the token");
        vm.assertEq(palm.balanceOf(treasury), 21, "PALM");
        vm.assertEq(treasury.balance, 3 ether, "ether");
        // a forwarder cannot be asked from inside either
        token.make(factory.addressOf(list[0]), 1);
        token.callBack(factory.addressOf(list[0]), abi.encodeCall(Forwarder.sweep, (palm, 1)));
        vm.expectRevert(abi.encodeWithSelector(
            DepositFactory.SweepFailed.selector, list[0], address(token), abi.encodeWithSelector(Forwarder.NotFactory.selector, address(token))
        ));
        factory.sweep(IERC20(address(token)), one(list[0]));
    }

    function test_ether_from_before_is_swept_and_later_bounces() public {
        address payable at_ = payable(factory.addressOf("a"));
        vm.deal(address(this), 10 ether);
        (bool done,) = at_.call{value: 1 ether}("");
        vm.assertTrue(done, "before the deployment nothing can refuse");
        vm.expectEmit(address(factory));
        emit DepositFactory.SweptEther("a", at_, 1 ether);
        factory.sweepEther(one("a"));
        vm.assertEq(treasury.balance, 1 ether, "the treasury has it");
        (done,) = at_.call{value: 1 ether}("");
        vm.assertTrue(!done, "it bounces");
        (done,) = address(factory).call{value: 1 ether}("");
        vm.assertTrue(!done, "from the factory too");
        factory.sweepEther(one("a"));           // nothing lies there: nothing happens
        vm.assertEq(address(this).balance, 9 ether, "nothing else was lost");
    }

    function test_ether_stays_when_the_treasury_takes_none() public {
        vm.deal(factory.addressOf("a"), 1 ether);
        purse.close();
        (bool done,) = address(factory).call(abi.encodeCall(factory.sweepEther, (one("a"))));
        vm.assertTrue(!done, "refused");
        vm.assertEq(factory.addressOf("a").balance, 1 ether, "it waits");
    }
}

// Players, passers-by and odd tokens. Whatever they do, money at a forwarder goes to the treasury or stays.
contract DepositHandler is Kit {
    DepositFactory public factory;
    address payable public treasury = payable(address(0x7ea5));
    Token[] public tokens;
    uint256 public constant SALTS = 6;
    mapping(address token => uint256) public made;
    uint256 public etherMade;

    constructor() {
        factory = new DepositFactory(treasury);
        for (uint256 kind = 0; kind <= uint256(type(Token.Kind).max); kind++) {
            if (Token.Kind(kind) != Token.Kind.ROBS) tokens.push(new Token(Token.Kind(kind)));
        }
    }

    function deposit(uint256 which, uint256 salt, uint256 amount) external {
        Token token = tokens[which % tokens.length];
        amount = within(amount, 0, 1e12);
        token.make(factory.addressOf(bytes32(salt % SALTS)), amount);
        made[address(token)] += amount;
    }

    function deposit_ether(uint256 salt, uint256 amount) external {
        amount = within(amount, 0, 10 ether);
        address to = factory.addressOf(bytes32(salt % SALTS));
        vm.deal(address(this), amount);
        (bool done,) = to.call{value: amount}("");
        vm.assertTrue(done == (to.code.length == 0), "deployed forwarders take no ether");
        if (done) etherMade += amount;
    }

    // Ether that nothing can refuse, as a block's reward would be.
    function force_ether(uint256 salt, uint256 amount) external {
        address to = factory.addressOf(bytes32(salt % SALTS));
        amount = within(amount, 0, 10 ether);
        vm.deal(to, to.balance + amount);
        etherMade += amount;
    }

    function sweep(uint256 which, uint256 from, uint256 count, address by) external {
        Token token = tokens[which % tokens.length];
        vm.prank(by);
        try factory.sweep(IERC20(address(token)), salts(from % SALTS, within(count, 0, SALTS))) {} catch {
            vm.assertTrue(token.refuses(), "only a token that refuses stops a sweep");
        }
    }

    function call_back(uint256 which, uint256 from, uint256 count) external {
        Token token = tokens[which % tokens.length];
        IERC20 other = IERC20(address(tokens[(which >> 8) % tokens.length]));
        if (Token(address(other)).refuses()) return;
        if (token.kind() == Token.Kind.CALLS_BACK && token.pending() < 4) {
            token.callBack(address(factory), abi.encodeCall(factory.sweep, (other, salts(from % SALTS, within(count, 0, SALTS)))));
        }
    }

    function sweep_ether(uint256 from, uint256 count, address by) external {
        vm.prank(by);
        factory.sweepEther(salts(from % SALTS, within(count, 0, SALTS)));
    }

    function steal(uint256 which, uint256 salt, uint256 amount, address by) external {
        if (by == address(factory)) return;
        address from = factory.addressOf(bytes32(salt % SALTS));
        if (from.code.length == 0) return;
        vm.prank(by);
        try Forwarder(from).sweep(IERC20(address(tokens[which % tokens.length])), amount) { revert("a stranger asked a forwarder"); } catch {}
        vm.prank(by);
        try Forwarder(from).sweepEther() { revert("a stranger asked a forwarder"); } catch {}
    }

    function tokenCount() external view returns (uint256) {
        return tokens.length;
    }
}

contract DepositFactoryInvariants is Kit {
    DepositHandler private handler;

    function setUp() public {
        handler = new DepositHandler();
    }

    function targetContracts() public view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(handler);
    }

    function invariant_money_is_at_a_forwarder_or_the_treasury() public view {
        DepositFactory factory = handler.factory();
        uint256 lying = 0;
        for (uint256 t = 0; t < handler.tokenCount(); t++) {
            Token token = handler.tokens(t);
            uint256 sum = token.balanceOf(handler.treasury()) + token.feesTaken();
            // salts run past SALTS when a sweep starts late in the list; none of those was ever paid
            for (uint256 i = 0; i < handler.SALTS(); i++) sum += token.balanceOf(factory.addressOf(bytes32(i)));
            vm.assertEq(sum, handler.made(address(token)), "a token went elsewhere");
        }
        for (uint256 i = 0; i < handler.SALTS(); i++) lying += factory.addressOf(bytes32(i)).balance;
        vm.assertEq(lying + handler.treasury().balance, handler.etherMade(), "ether went elsewhere");
        vm.assertEq(address(factory).balance + address(factory.implementation()).balance, 0, "the factory holds nothing");
    }
}
